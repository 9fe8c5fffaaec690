import { Client, Metadata, credentials as grpcCredentials } from '@grpc/grpc-js';
import type { ChannelOptions, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';

import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { formatSocketAddress, isLoopback } from '../runtime/socket-address.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { ConnectGuard } from './connect-guard.ts';
import { rpcErrors } from './errors.ts';
import { decode, encode } from './method.ts';
import type { Method } from './method.ts';
import { MeshChannelCredentials } from './secure-connector.ts';
import { fromStatus, isServiceError } from './status.ts';

export interface CallOptions {
  /** Gives the call up; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Milliseconds to the answer; without it the call waits as long as the connection lives. */
  readonly timeoutMs?: number;
}

/** A connection to one server, made when first used and again whenever it broke. */
export interface Channel {
  unary<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): Promise<S>;
  serverStream<Q, S>(method: Method<Q, S>, request: Q, signal: AbortSignal): AsyncIterable<S>;
  bidiStream<Q, S>(method: Method<Q, S>, requests: AsyncIterable<Q>, signal: AbortSignal): AsyncIterable<S>;
  /** Ends the connection and every call on it. */
  close(): void;
}

export interface ChannelTarget {
  readonly address: SocketAddress;
  /** The identity the server must prove. Undefined only for a loopback address: plaintext (contract 2.3). */
  readonly serverName: string | undefined;
  /** Undefined for as long as this process is not certified; the channel then shows no certificate. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
  readonly log: Log;
  /** Waits between attempts to connect; 100 ms to 10 s unless given. grpc-js adds 20 % of jitter. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
  readonly clock?: Clock;
}

const handshakeTimeoutMs = 10_000;
const defaultReconnect = { minMs: 100, maxMs: 10_000 };

/** Longer than grpc-js's longest wait between attempts, its jitter included. */
const stuckAfterMs = (maxReconnectMs: number): number => 1.5 * maxReconnectMs + 1_000;

/** Throws `server_name_missing` where an address that is not loopback comes without a server name. */
export function connectChannel(target: ChannelTarget): Channel {
  const { address, serverName, clock = systemClock, reconnect = defaultReconnect } = target;
  if (serverName === undefined && !isLoopback(address.host)) {
    throw rpcErrors.error(
      'server_name_missing',
      `expected a TLS server name beside ${formatSocketAddress(address)}, got none; only loopback addresses may go without`,
    );
  }
  const channel = new GrpcChannel((gone, startAfresh) => {
    const guard = new ConnectGuard(clock, stuckAfterMs(reconnect.maxMs), startAfresh);
    gone.addEventListener('abort', () => guard.end(), { once: true });
    const credentials =
      serverName === undefined
        ? grpcCredentials.createInsecure()
        : new MeshChannelCredentials({ ...target, serverName, handshakeTimeoutMs, clock, gone, guard });
    return new Client(`dns:${formatSocketAddress(address)}`, credentials, channelOptions(reconnect));
  });
  startAfreshWhenCertified(channel, target.credentials);
  return channel;
}

/**
 * A connection shows the certificate it was made with for as long as it lives. One that was made for the first
 * certificate shows none, and servers would go on taking its calls for those of a stranger.
 */
function startAfreshWhenCertified(channel: GrpcChannel, credentials: Latest<Credentials | undefined>): void {
  if (credentials.value !== undefined) return;
  const unsubscribe = credentials.subscribe((own) => {
    if (own === undefined) return;
    unsubscribe();
    channel.startAfresh();
  });
}

/** Clients spread over the replicas that a name resolves to. */
const serviceConfig = { loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] };

function channelOptions(reconnect: { readonly minMs: number; readonly maxMs: number }): ChannelOptions {
  return {
    'grpc.initial_reconnect_backoff_ms': reconnect.minMs,
    'grpc.max_reconnect_backoff_ms': reconnect.maxMs,
    // A server that went away without a word is noticed within this time while calls are open.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Control-plane pods move: their name is looked up anew at each reconnect.
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
    'grpc.service_config': JSON.stringify(serviceConfig),
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    // Each of our callers repeats what it wants repeated; proxy variables are not for the mesh.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  };
}

class GrpcChannel implements Channel {
  readonly #connect: (gone: AbortSignal, startAfresh: () => void) => Client;
  readonly #closed = new AbortController();
  #gone = new AbortController();
  #client: Client;

  constructor(connect: (gone: AbortSignal, startAfresh: () => void) => Client) {
    this.#connect = connect;
    this.#client = this.#begin();
  }

  async unary<Q, S>(method: Method<Q, S>, request: Q, options: CallOptions = {}): Promise<S> {
    return decode(method.response, await this.#ask(method.path, encode(method.request, request), options));
  }

  async *serverStream<Q, S>(method: Method<Q, S>, request: Q, signal: AbortSignal): AsyncGenerator<S> {
    const either = this.#either(signal);
    const bytes = encode(method.request, request);
    const stream = this.#client.makeServerStreamRequest(method.path, identity, identity, bytes);
    yield* readStream(stream, method, either);
  }

  async *bidiStream<Q, S>(
    method: Method<Q, S>,
    requests: AsyncIterable<Q>,
    signal: AbortSignal,
  ): AsyncGenerator<S> {
    const either = this.#either(signal);
    const stream = this.#client.makeBidiStreamRequest(method.path, identity, identity);
    void sendAll(stream, method, requests);
    yield* readStream(stream, method, either);
  }

  close(): void {
    this.#closed.abort(
      rpcErrors.error('rpc_unavailable', 'expected an open channel, got one that was closed'),
    );
    this.#leave();
  }

  /** Looks the name up again and connects anew. Calls that wait for a connection fail; those on the old one go on. */
  startAfresh(): void {
    if (this.#closed.signal.aborted) return;
    this.#leave();
    this.#gone = new AbortController();
    this.#client = this.#begin();
  }

  #begin(): Client {
    return this.#connect(this.#gone.signal, () => this.startAfresh());
  }

  #leave(): void {
    this.#gone.abort();
    this.#client.close();
  }

  /** What ends a call: the caller's signal or the end of the channel. Throws its reason when it is aborted already. */
  #either(signal: AbortSignal | undefined): AbortSignal {
    const closed = this.#closed.signal;
    const either = signal === undefined ? closed : AbortSignal.any([signal, closed]);
    either.throwIfAborted();
    return either;
  }

  #ask(path: string, request: Buffer, { signal, timeoutMs }: CallOptions): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const either = this.#either(signal);
      const abort = (): void => call.cancel();
      const call = this.#client.makeUnaryRequest(
        path,
        identity,
        identity,
        request,
        new Metadata(),
        timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
        (error, response = Buffer.alloc(0)) => {
          either.removeEventListener('abort', abort);
          if (either.aborted) reject(either.reason as Error);
          else if (error !== null) reject(fromStatus(error));
          else resolve(response);
        },
      );
      either.addEventListener('abort', abort, { once: true });
    });
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

async function* readStream<S>(
  stream: ClientReadableStream<Buffer>,
  method: Method<unknown, S>,
  signal: AbortSignal,
): AsyncGenerator<S> {
  const abort = (): void => stream.cancel();
  signal.addEventListener('abort', abort, { once: true });
  // Cancelling makes grpc-js emit an error after the reader has gone.
  stream.on('error', () => undefined);
  try {
    for await (const bytes of stream) yield decode(method.response, bytes as Buffer);
  } catch (error) {
    signal.throwIfAborted();
    throw isServiceError(error) ? fromStatus(error) : error;
  } finally {
    signal.removeEventListener('abort', abort);
    stream.cancel();
  }
}

/** A failure of the requests' source gives the whole stream up. */
async function sendAll<Q>(
  stream: ClientDuplexStream<Buffer, Buffer>,
  method: Method<Q, unknown>,
  requests: AsyncIterable<Q>,
): Promise<void> {
  try {
    for await (const request of requests) {
      if (stream.destroyed) return;
      stream.write(encode(method.request, request));
    }
    stream.end();
  } catch {
    stream.cancel();
  }
}

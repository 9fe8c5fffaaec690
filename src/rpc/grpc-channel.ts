import { Metadata, connectivityState } from '@grpc/grpc-js';
import type { Client, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';

import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import type { CallOptions, Channel } from './channel.ts';
import { rpcErrors } from './errors.ts';
import { decode, encode } from './method.ts';
import type { Method } from './method.ts';
import { fromStatus, isServiceError } from './status.ts';

/** A channel over a grpc-js client, which it can replace. */
export class GrpcChannel implements Channel {
  readonly #connect: (gone: AbortSignal, startAfresh: () => void) => Client;
  readonly #closed = new AbortController();
  readonly #failing = new LatestValue(false);
  #gone = new AbortController();
  #client: Client;

  constructor(connect: (gone: AbortSignal, startAfresh: () => void) => Client) {
    this.#connect = connect;
    this.#client = this.#begin();
  }

  get failing(): Latest<boolean> {
    return this.#failing;
  }

  async unary<Q, S>(method: Method<Q, S>, request: Q, options: CallOptions = {}): Promise<S> {
    const answer = await this.#ask(method.path, encode(method.request, request), options);
    return decode(method.response, answer, 'answer_malformed');
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
    const client = this.#connect(this.#gone.signal, () => this.startAfresh());
    this.#watch(client);
    return client;
  }

  #watch(client: Client): void {
    const channel = client.getChannel();
    const state = channel.getConnectivityState(false);
    this.#failing.set(state === connectivityState.TRANSIENT_FAILURE);
    if (state === connectivityState.SHUTDOWN) return;
    channel.watchConnectivityState(state, Infinity, () => this.#watch(client));
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
    for await (const bytes of stream) yield decode(method.response, bytes as Buffer, 'answer_malformed');
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

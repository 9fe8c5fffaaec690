import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

import type { Credentials } from '../../../../src/pki/credentials.ts';
import { Connector } from '../../../../src/proxy/outbound/connector.ts';
import type { LookupScope } from '../../../../src/proxy/outbound/lookup-scope.ts';
import { OutboundListeners } from '../../../../src/proxy/outbound/outbound-listeners.ts';
import type { OutboundObserver } from '../../../../src/proxy/outbound/observer.ts';
import { OwnListeners } from '../../../../src/proxy/outbound/own-listeners.ts';
import { Resolver } from '../../../../src/proxy/outbound/resolver.ts';
import { fixedDestination } from '../../../../src/proxy/original-destination.ts';
import { StreamEngine } from '../../../../src/proxy/transport/stream-engine.ts';
import type { DestinationClient, Update } from '../../../../src/rpc/destination-api.ts';
import { ConnectionCapacity } from '../../../../src/runtime/connection-capacity.ts';
import { errorCode } from '../../../../src/runtime/errors.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import { listen } from '../../../../src/runtime/listen.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { formatSocketAddress } from '../../../../src/runtime/socket-address.ts';
import type { SocketAddress } from '../../../../src/runtime/socket-address.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { clientCredentials } from '../../../support/rpc-server.ts';
import { TestCa } from '../../../support/test-ca.ts';
import { profileOf } from './messages.ts';

export const api = { host: 'api.shop.svc.cluster.local', port: 7000 };

/** A destination service in this process: says the updates it was given, at once, and then those it is given later. */
export class Directory implements DestinationClient {
  readonly #updates = new LatestValue<readonly Update[]>([]);
  /** Thrown by every stream that is opened, and by those that are open. */
  readonly failure = new LatestValue<Error | undefined>(undefined);

  say(...updates: Update[]): void {
    this.#updates.set([...this.#updates.value, ...updates]);
  }

  async *getProfile(request: { path: string }, signal: AbortSignal) {
    if (this.failure.value !== undefined) throw this.failure.value;
    if (request.path === formatSocketAddress(api)) yield profileOf(api.host);
    await this.#failed(signal);
  }

  async *get(_: unknown, signal: AbortSignal): AsyncGenerator<Update> {
    let said = 0;
    const wake = new AbortController();
    void this.#failed(signal).catch(() => wake.abort());
    for await (const updates of this.#updates.changes(AbortSignal.any([signal, wake.signal]))) {
      yield* updates.slice(said);
      said = updates.length;
    }
    await this.#failed(signal);
  }

  async #failed(signal: AbortSignal): Promise<void> {
    throw (await this.failure.until((failure) => failure !== undefined, signal)) as Error;
  }
}

export interface RigOptions {
  readonly credentials?: LatestValue<Credentials | undefined>;
  readonly ca?: TestCa;
  readonly scope?: LookupScope;
  readonly localAddresses?: readonly string[];
  readonly target?: SocketAddress;
}

/** An outbound proxy whose destination service and clock are the test's. */
export async function outboundRig(options: RigOptions = {}) {
  const clock = new ManualClock();
  const ca = options.ca ?? TestCa.create();
  const credentials = options.credentials ?? clientCredentials(ca);
  const engine = new StreamEngine({ credentials, clock: { ...realNow(clock) } });
  const directory = new Directory();
  const log = new LogCapture();
  const seen: string[] = [];
  const backoff = { minMs: 100, maxMs: 1000, jitter: 0 };
  const limits = { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined };
  const resolver = new Resolver({
    lookup: { client: directory, contextToken: '', stream: { limits, backoff, clock } },
    scope: options.scope ?? { suffixes: ['svc.cluster.local'], networks: undefined },
    localAddresses: new Set(options.localAddresses),
    ejection: backoff,
    idleTimeoutMs: 5000,
    clock,
    random: () => 0,
  });
  const observer = listening(seen);
  const ownListeners = new OwnListeners();
  const listeners = new OutboundListeners({
    engine,
    connector: new Connector({
      resolver,
      dial: { engine, connectTimeoutMs: 1000, socket: {}, ownListeners },
      credentials,
      holdTimeoutMs: 10_000,
      clock,
      observer,
    }),
    observer,
    log,
    clock,
    idleTimeoutMs: 86_400_000,
    socket: {},
    capacity: new ConnectionCapacity({ limit: Infinity, clock, log, metrics: new Metrics() }),
    ownListeners,
  });
  const address = await listeners.listen(
    { host: '127.0.0.1', port: 0 },
    fixedDestination(options.target ?? api),
  );
  return {
    ca,
    clock,
    credentials,
    directory,
    listeners,
    address,
    log,
    /** What the observer was told, in order. */
    seen,
    client: () => new TestClient(address),
    [Symbol.asyncDispose]: async () => {
      await listeners.close(AbortSignal.abort());
      resolver.close();
    },
  };
}

/** Certificates are made for the present, so dates are real where timers are not. */
function realNow(clock: ManualClock) {
  return {
    now: () => new Date(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
  };
}

function listening(seen: string[]): OutboundObserver {
  return {
    accepted: (target) => {
      seen.push(`accepted for ${target === undefined ? 'nowhere' : formatSocketAddress(target)}`);
      return {
        connected: ({ key, security }) => seen.push(`connected to ${key}, ${security.kind}`),
        closed: ({ reason }) => seen.push(`closed: ${reason}`),
        refused: (cause) => seen.push(`refused: ${errorCode(cause)}`),
      };
    },
    endpointFailed: ({ key }, cause) => seen.push(`${key} failed: ${errorCode(cause)}`),
  };
}

/** The application's side of a connection to the proxy. */
export class TestClient implements Disposable {
  readonly socket: Socket;
  readonly #pieces: Buffer[] = [];
  #error: unknown;

  constructor({ host, port }: SocketAddress) {
    this.socket = connect({ host, port, allowHalfOpen: true });
    this.socket.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.socket.on('error', (error) => (this.#error = error));
  }

  get received(): string {
    return Buffer.concat(this.#pieces).toString('latin1');
  }

  /** The code of what broke the connection. */
  get brokenBy(): string | undefined {
    return errorCode(this.#error);
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A TCP listener that keeps every byte it gets, and otherwise does what it is told. */
export class RawServer implements AsyncDisposable {
  connections = 0;
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.#sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, piece]);
    });
    this.#serve(socket);
  });
  readonly #sockets: Socket[] = [];
  readonly #serve: (socket: Socket) => void;
  bytes = Buffer.alloc(0);
  address: SocketAddress = { host: '127.0.0.1', port: 0 };

  constructor(serve: (socket: Socket) => void = () => undefined) {
    this.#serve = serve;
  }

  async start(): Promise<this> {
    this.address = await listen(this.#server, this.address);
    return this;
  }

  get key(): string {
    return formatSocketAddress(this.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

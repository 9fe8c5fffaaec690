import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

import type { Credentials } from '../../../src/pki/credentials.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import type {
  Connection,
  DialOptions,
  Listener,
  MeshConnection,
  MeshDialOptions,
} from '../../../src/proxy/transport/engine.ts';
import { StreamConnection } from '../../../src/proxy/transport/stream-connection.ts';
import { StreamEngine } from '../../../src/proxy/transport/stream-engine.ts';
import type { StreamEngineOptions } from '../../../src/proxy/transport/stream-engine.ts';
import { ConnectionCapacity } from '../../../src/runtime/connection-capacity.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';

export const mesh = new MeshDomain('kedge', 'cluster.local');
export const api = mesh.identity('shop', 'api');
export const web = mesh.identity('shop', 'web');
export const anyPort: SocketAddress = { host: '127.0.0.1', port: 0 };

/** Real sockets on a clock that stands still; all of them are gone when the test is. */
export class Bench implements AsyncDisposable {
  readonly clock = new ManualClock(new Date());
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly #servers: Server[] = [];
  readonly #listeners: Listener[] = [];

  /** A server of plain TCP; resolves with its address. */
  async serve(accept: (socket: Socket) => void): Promise<SocketAddress> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(this.own(socket)));
    this.#servers.push(server);
    server.listen(anyPort);
    await once(server, 'listening');
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  /** A server that accepts and keeps the sockets. */
  async hold(): Promise<{ address: SocketAddress; sockets: Socket[] }> {
    const sockets: Socket[] = [];
    const address = await this.serve((socket) => sockets.push(socket));
    return { address, sockets };
  }

  async connect(address: SocketAddress, localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = this.own(connect({ ...address, localAddress, allowHalfOpen: true, noDelay: true }));
    await once(socket, 'connect');
    return socket;
  }

  /** Errors are expected here: tests look at how sockets close. */
  own<S extends Socket>(socket: S): S {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    return socket;
  }

  /** Both ends of one TCP connection: the far end as a bare socket, the near one as the proxy has it. */
  async pair(): Promise<{ far: Socket; near: StreamConnection }> {
    const { address, sockets } = await this.hold();
    const tcp = await this.connect(address);
    await until(() => sockets.length === 1);
    return { far: sockets[0]!, near: new StreamConnection(tcp.pause(), this.clock) };
  }

  engine(
    credentials?: Credentials,
    options: Pick<StreamEngineOptions, 'groups'> = {},
  ): StreamEngine & { readonly credentials: LatestValue<Credentials | undefined> } {
    const latest = new LatestValue(credentials);
    return Object.assign(new StreamEngine({ credentials: latest, clock: this.clock, ...options }), {
      credentials: latest,
    });
  }

  /** Room for so many connections; for any number, unless given. */
  capacity(limit = Infinity): ConnectionCapacity {
    return new ConnectionCapacity({ limit, clock: this.clock, log: this.log, metrics: this.metrics });
  }

  async listen(engine: StreamEngine, accept: (connection: Connection) => void): Promise<SocketAddress> {
    const listener = await engine.listen(anyPort, (connection) => {
      this.#connections.add(connection);
      accept(connection);
    });
    this.#listeners.push(listener);
    return listener.address;
  }

  async dial(
    engine: StreamEngine,
    target: SocketAddress,
    options: Partial<DialOptions> = {},
  ): Promise<Connection> {
    const connection = await engine.dial(target, { timeoutMs: 1000, ...options });
    this.#connections.add(connection);
    return connection;
  }

  async dialMesh(
    engine: StreamEngine,
    target: SocketAddress,
    options: Partial<MeshDialOptions> = {},
  ): Promise<MeshConnection> {
    const names = { serverName: api.dnsName, expectedIdentity: api.dnsName };
    const connection = await engine.dialMesh(target, { timeoutMs: 1000, ...names, ...options });
    this.#connections.add(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.reset();
    for (const socket of this.#sockets) socket.destroy();
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#servers.map((server) => new Promise((closed) => server.close(closed))));
  }
}

/** Waits until the other side has done what it must. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(1);
}

/** All that a socket receives until its other side ends. */
export async function readAll(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).resume();
  if (!socket.readableEnded) await once(socket, 'end');
  return Buffer.concat(pieces).toString('latin1');
}

/** How a socket ends: the code of its error, or `end` for an orderly one. */
export async function fate(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
  // It may have ended before anybody asked.
  if (socket.errored) failed(socket.errored);
  else if (socket.readableEnded) resolve('end');
  else if (socket.closed) resolve('close');
  socket.on('error', failed);
  socket.on('end', () => resolve('end'));
  socket.on('close', () => resolve('close'));
  socket.resume();
  return await promise;
}

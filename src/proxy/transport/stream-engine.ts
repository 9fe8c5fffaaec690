import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import type { Credentials } from '../../pki/credentials.ts';
import type { KeyExchangeGroup } from '../../rpc/mesh-tls.ts';
import type { Clock } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import type { Latest } from '../../runtime/latest.ts';
import { PausableListener } from '../../runtime/pausable-listener.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { proxyErrors } from '../errors.ts';
import { dialTcp } from './dial-tcp.ts';
import type {
  Connection,
  Copy,
  CopyOptions,
  DialOptions,
  Engine,
  Listener,
  MeshConnection,
  MeshDialOptions,
  MeshPeer,
  SocketOptions,
  TerminateOptions,
} from './engine.ts';
import { MeshContexts } from './mesh-context.ts';
import { connectMesh } from './mtls-client.ts';
import { MeshTlsServer } from './mtls-server.ts';
import { ReadBuffers } from './read-buffers.ts';
import { connectFailure } from './socket-failure.ts';
import { splice } from './splice.ts';
import { StreamConnection } from './stream-connection.ts';
import { PeerVerifier } from './verify-peer.ts';

/** Many clients may connect at the same moment; the system's own limit still applies. */
const backlog = 4096;

export interface StreamEngineOptions {
  /** A new value for each new certificate and each new trust bundle. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly clock: Clock;
  /** For the key exchange of TLS, the most wanted first; all that the mesh has where none are given. */
  readonly groups?: readonly KeyExchangeGroup[];
}

/** The engine made of Node's own sockets and streams. */
export class StreamEngine implements Engine {
  readonly #clock: Clock;
  readonly #contexts: MeshContexts;
  readonly #verifier: PeerVerifier;
  readonly #buffers = new ReadBuffers();
  readonly #tlsServers = new Map<string | undefined, MeshTlsServer>();

  constructor({ credentials, clock, groups }: StreamEngineOptions) {
    this.#clock = clock;
    this.#contexts = new MeshContexts(credentials, groups);
    this.#verifier = new PeerVerifier(clock);
  }

  async listen(
    address: SocketAddress,
    accept: (connection: Connection) => void,
    { keepAliveMs }: SocketOptions = {},
  ): Promise<Listener> {
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      ...(keepAliveMs === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
    });
    server.on('connection', (socket) => {
      // A client that is gone already has no address any more.
      if (socket.remoteAddress === undefined) socket.destroy();
      else accept(new StreamConnection(this.#buffers.adopt(socket), this.#clock));
    });
    return await PausableListener.open(server, address, backlog);
  }

  async terminate(connection: Connection, { alpn, timeoutMs }: TerminateOptions): Promise<MeshConnection> {
    const tcp = streamOf(connection).release();
    const { socket, peer, alpn: selected } = await this.#tlsServer(alpn).accept(tcp, timeoutMs);
    return new StreamMeshConnection(socket, this.#clock, tcp, peer, selected);
  }

  async dial(target: SocketAddress, options: DialOptions): Promise<Connection> {
    const what = formatSocketAddress(target);
    const tcp = await this.#withTimeout(options, what, (signal) =>
      dialTcp(target, options, this.#buffers, signal),
    );
    return new StreamConnection(tcp, this.#clock);
  }

  async dialMesh(target: SocketAddress, options: MeshDialOptions): Promise<MeshConnection> {
    const { serverName, expectedIdentity, alpn } = options;
    const context = this.#contexts.present;
    const what = `${expectedIdentity} at ${formatSocketAddress(target)}`;
    return this.#withTimeout(options, what, async (signal) => {
      const tcp = await dialTcp(target, options, this.#buffers, signal);
      const mesh = { serverName, expectedIdentity, alpn, context, verifier: this.#verifier };
      const { socket, peer, alpn: selected } = await connectMesh(tcp, mesh, signal);
      return new StreamMeshConnection(socket, this.#clock, tcp, peer, selected);
    });
  }

  copy(client: Connection, server: Connection, { idleTimeoutMs }: CopyOptions): Copy {
    return splice(streamOf(client), streamOf(server), {
      idleTimeoutMs,
      clock: this.#clock,
      buffers: this.#buffers,
    });
  }

  /** One for each protocol to select: which one a connection needs is known before TLS begins. */
  #tlsServer(alpn: string | undefined): MeshTlsServer {
    const known = this.#tlsServers.get(alpn);
    if (known !== undefined) return known;
    const made = new MeshTlsServer({
      contexts: this.#contexts,
      verifier: this.#verifier,
      clock: this.#clock,
      alpn,
    });
    this.#tlsServers.set(alpn, made);
    return made;
  }

  /** TCP and TLS share one time limit (contract 2.3). */
  async #withTimeout<T>(
    { timeoutMs, signal = new AbortController().signal }: DialOptions,
    what: string,
    dial: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = (): Error =>
      proxyErrors.error('connect_timeout', `expected ${what} within ${timeoutMs} ms, got no connection`);
    try {
      return await withinDeadline({ clock: this.#clock, ms: timeoutMs, signal, late }, dial);
    } catch (error) {
      if (signal.aborted) throw error;
      throw connectFailure(error, what);
    }
  }
}

class StreamMeshConnection extends StreamConnection implements MeshConnection {
  readonly peer: MeshPeer | undefined;
  readonly alpn: string | undefined;

  constructor(
    socket: Socket,
    clock: Clock,
    tcp: Socket,
    peer: MeshPeer | undefined,
    alpn: string | undefined,
  ) {
    super(socket, clock, tcp);
    this.peer = peer;
    this.alpn = alpn;
  }
}

function streamOf(connection: Connection): StreamConnection {
  if (connection instanceof StreamConnection) return connection;
  throw new TypeError('expected a connection of this engine');
}

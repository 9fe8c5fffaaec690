import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';

import type { Clock } from '../../runtime/clock.ts';
import { proxyErrors } from '../errors.ts';
import type { MeshContext, MeshContexts } from './mesh-context.ts';
import { chainFailure, connectFailure } from './socket-failure.ts';
import type { PeerVerifier, VerifiedPeer } from './verify-peer.ts';

export interface MeshTlsServerOptions {
  readonly contexts: MeshContexts;
  readonly verifier: PeerVerifier;
  readonly clock: Clock;
  /** The one protocol to select. Without it none is ever selected, whatever clients offer (contract 3.3). */
  readonly alpn?: string | undefined;
}

export interface MeshServerTls {
  readonly socket: TLSSocket;
  /** Undefined where the client showed no certificate. */
  readonly peer: VerifiedPeer | undefined;
  readonly alpn: string | undefined;
}

interface Waiting {
  resolve(socket: TLSSocket): void;
  reject(error: Error): void;
}

/**
 * Ends mesh TLS on sockets that were accepted, and looked into, elsewhere. They are fed to a real `tls.Server`, since a
 * bare server-side `TLSSocket` does not verify its clients. Nobody is refused for want of a certificate, but anyone
 * whose certificate does not verify is.
 */
export class MeshTlsServer {
  readonly #options: MeshTlsServerOptions;
  readonly #server: Server;
  readonly #waiting = new Map<string, Waiting>();
  #loaded: MeshContext | undefined;

  constructor(options: MeshTlsServerOptions) {
    this.#options = options;
    const { alpn, contexts } = options;
    this.#server = createServer({
      requestCert: true,
      // With true, Node would refuse clients without a certificate as well; `#verify` refuses the wrong ones.
      rejectUnauthorized: false,
      // A server's own context forgets `allowPartialTrustChain`; one that is chosen by name keeps it.
      SNICallback: (_name, choose) => choose(null, contexts.present.secureContext),
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    });
    this.#server.on('secureConnection', (socket) => {
      const waiting = this.#waiting.get(pathOf(socket));
      socket.allowHalfOpen = true;
      if (waiting === undefined) socket.destroy();
      else waiting.resolve(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => this.#waiting.get(pathOf(socket))?.reject(error));
  }

  /**
   * Makes TLS on a TCP connection that is paused and has said nothing since its first bytes were put back. Rejects with
   * `mesh_*` or `connection_reset`, and has then reset it.
   */
  async accept(tcp: Socket, timeoutMs: number): Promise<MeshServerTls> {
    const what = `the client at ${tcp.remoteAddress ?? 'an address that is gone'}`;
    try {
      this.#load();
      const socket = await this.#handshake(tcp, timeoutMs);
      const peer = this.#verify(socket, what);
      return { socket, peer, alpn: socket.alpnProtocol || undefined };
    } catch (error) {
      tcp.resetAndDestroy();
      throw connectFailure(error, what);
    }
  }

  /** Versions, suites and groups are those of the server's own context, also where the name chooses another. */
  #load(): void {
    const { present } = this.#options.contexts;
    if (this.#loaded === present) return;
    this.#server.setSecureContext(present.options);
    this.#loaded = present;
  }

  #handshake(tcp: Socket, timeoutMs: number): Promise<TLSSocket> {
    const path = pathOf(tcp);
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const timer = this.#options.clock.after(timeoutMs, () =>
      reject(proxyErrors.error('mesh_timeout', `expected TLS within ${timeoutMs} ms, got no end of it`)),
    );
    const closed = (): void =>
      reject(
        proxyErrors.error('connection_reset', 'expected the client to finish TLS, got a closed connection'),
      );
    tcp.once('close', closed);
    this.#waiting.set(path, { resolve, reject });
    // Half-open, Node would wait for the rest of TLS from a client that has ended its side; after TLS it may end it.
    tcp.allowHalfOpen = false;
    this.#server.emit('connection', tcp);
    return promise.finally(() => {
      timer.cancel();
      tcp.off('close', closed);
      this.#waiting.delete(path);
    });
  }

  /** By the newest anchors, whichever the handshake began with. */
  #verify(socket: TLSSocket, what: string): VerifiedPeer | undefined {
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return undefined;
    if (!socket.authorized) throw chainFailure(String(socket.authorizationError), what);
    const presented = { fingerprint: leaf.fingerprint256, chain: () => socket.getPeerCertificate(true) };
    const { contexts, verifier } = this.#options;
    return verifier.verify(presented, contexts.present.credentials.bundle, 'client');
  }
}

/** Tells a TCP connection from all others that live; the socket of TLS on it has the same. */
function pathOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}

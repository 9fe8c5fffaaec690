import { createServer as createTcpServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { SecureContext, Server as TlsServer, TLSSocket } from 'node:tls';

import type { Credentials } from '../pki/credentials.ts';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { plainAddress } from './connection.ts';
import { rpcErrors } from './errors.ts';
import { IssuerCache } from './issuer-cache.ts';
import type { ServerLimits } from './limits.ts';
import { secureContextOptions } from './mesh-tls.ts';
import type { RefusalReason } from './server-metrics.ts';
import { readPeerChain, verifyPeerChain } from './verify-peer.ts';
import type { PeerChain } from './verify-peer.ts';

export interface TlsAcceptorOptions {
  readonly credentials: Latest<Credentials | undefined>;
  readonly limits: ServerLimits;
  readonly log: Log;
  /** A connection after TLS; its client showed no certificate, or one that verifies. */
  onConnection(socket: TLSSocket, chain: PeerChain | undefined): void;
  onRefused(reason: RefusalReason): void;
}

/**
 * Takes TCP connections and makes TLS 1.3 of them, with the newest credentials for each. A missing client certificate
 * is allowed, an invalid one is not; HTTP/2 is taken for granted where the client offers no ALPN (contract 3.10).
 */
export class TlsAcceptor {
  /** Not listening yet. */
  readonly server: TcpServer;
  readonly #tls: TlsServer;
  readonly #options: TlsAcceptorOptions;
  readonly #open = new Map<Socket, string>();
  readonly #perAddress = new Map<string, number>();
  readonly #issuers = new IssuerCache();
  readonly #unsubscribe: () => void;
  #context: SecureContext | undefined;
  #stopped = false;

  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.server = createTcpServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#tls = createTlsServer({
      requestCert: true,
      // Judged below, where a missing certificate can be told from an invalid one.
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      // Every mesh client sends a name (contract 3.1). The server's own context, which serves the others, cannot be
      // told to trust an anchor that is not self-signed: setSecureContext drops that option.
      SNICallback: (_name, done) => done(null, this.#context),
      handshakeTimeout: options.limits.handshakeMs,
    });
    this.#tls.on('secureConnection', (socket) => this.#admit(socket));
    this.#tls.on('tlsClientError', (error, socket) => this.#refuse(socket, handshakeFailure(error), error));
    this.#use(options.credentials.value);
    this.#unsubscribe = options.credentials.subscribe((credentials) => this.#use(credentials));
  }

  /** Takes no more connections; those that stand are left alone. */
  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.server.close();
  }

  /** Cuts every connection, in whatever state. */
  cut(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #use(credentials: Credentials | undefined): void {
    if (credentials === undefined) return;
    const options = secureContextOptions(credentials, credentials.bundle);
    this.#tls.setSecureContext(options);
    this.#context = createSecureContext(options);
  }

  #accept(socket: Socket): void {
    // A client may reset the connection at any time; whoever uses it learns of its end by 'close'.
    socket.on('error', () => undefined);
    const address = plainAddress(socket.remoteAddress);
    const sameAddress = this.#perAddress.get(address) ?? 0;
    const { connections, connectionsPerAddress } = this.#options.limits;
    if (this.#options.credentials.value === undefined) {
      this.#refuse(socket, 'no_credentials');
      return;
    }
    if (this.#open.size >= connections || sameAddress >= connectionsPerAddress) {
      this.#refuse(socket, 'too_many_connections');
      return;
    }
    this.#open.set(socket, address);
    this.#perAddress.set(address, sameAddress + 1);
    socket.once('close', () => this.#release(socket, address));
    this.#tls.emit('connection', socket);
  }

  #release(socket: Socket, address: string): void {
    this.#open.delete(socket);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }

  #admit(socket: TLSSocket): void {
    socket.on('error', () => undefined);
    if (this.#stopped) socket.destroy();
    // A socket that was reset meanwhile shows no certificate, whether its client did or not.
    if (socket.destroyed) return;
    try {
      const chain = readPeerChain(socket.getPeerCertificate(true), this.#issuers);
      if (chain !== undefined) this.#checkClient(socket, chain);
      // grpc-js and node:http2 refuse TLS without ALPN, which the Rust proxy never offers.
      if (socket.alpnProtocol === false) socket.alpnProtocol = 'h2';
      this.#options.onConnection(socket, chain);
    } catch (error) {
      this.#refuse(socket, 'client_certificate', error);
    }
  }

  #checkClient(socket: TLSSocket, chain: PeerChain): void {
    const bundle = this.#options.credentials.value?.bundle;
    if (!socket.authorized || bundle === undefined) {
      const verdict = errorMessage(socket.authorizationError);
      throw rpcErrors.error('peer_untrusted', `expected a client certificate of this mesh: ${verdict}`);
    }
    verifyPeerChain(chain, bundle, new Date(), 'client');
  }

  #refuse(socket: Socket, reason: RefusalReason, error?: unknown): void {
    const fields = { peer: plainAddress(socket.remoteAddress), reason };
    this.#options.log.debug(
      error === undefined ? fields : { ...fields, error: errorMessage(error) },
      'connection refused',
    );
    this.#options.onRefused(reason);
    socket.destroy();
  }
}

function handshakeFailure(error: Error): RefusalReason {
  const code = errorCode(error);
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'disconnected' : 'tls';
}

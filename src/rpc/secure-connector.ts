import { connect, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';

import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { SecureConnector } from '@grpc/grpc-js/build/src/channel-credentials.js';

import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { ConnectGuard } from './connect-guard.ts';
import { rpcErrors } from './errors.ts';
import { secureContextOptions } from './mesh-tls.ts';
import type { ShownCertificate } from './shown-certificate.ts';
import { readPeerChain, verifyPeerChain } from './verify-peer.ts';

export interface MeshTlsOptions {
  /** SNI, and the DNS name that the server's certificate must carry, byte for byte. */
  readonly serverName: string;
  readonly shown: ShownCertificate;
  readonly bundle: Latest<TrustBundle>;
  /** For TLS, and again for the first frame of HTTP/2. */
  readonly handshakeTimeoutMs: number;
  readonly guard: ConnectGuard;
  /** Aborted when nobody wants a connection any more; grpc-js itself goes on with what it has begun. */
  readonly gone: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Channel credentials of grpc-js whose handshake is ours: the newest certificate and anchors at each connection,
 * one exact server name, and no demand that the server selects an ALPN protocol. The underscored methods are how
 * grpc-js's own subclasses plug in; they are not documented, and the tests hold them.
 */
export class MeshChannelCredentials extends ChannelCredentials {
  readonly #options: MeshTlsOptions;
  #context:
    | { readonly own: Credentials | undefined; readonly bundle: TrustBundle; readonly value: SecureContext }
    | undefined;

  constructor(options: MeshTlsOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): SecureConnector {
    return {
      // Called before each TCP connect, then after it.
      waitForReady: async () => {
        this.#options.gone.throwIfAborted();
        this.#options.guard.begin();
        return Promise.resolve();
      },
      connect: async (socket) => ({ socket: await this.#handshake(socket), secure: true }),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }

  async #handshake(raw: Socket): Promise<TLSSocket> {
    this.#options.guard.end();
    try {
      return await this.#connect(raw);
    } catch (error) {
      raw.destroy();
      const { serverName, gone, log } = this.#options;
      if (gone.aborted) throw error;
      log.warn({ serverName, peer: raw.remoteAddress, error: errorMessage(error) }, 'TLS to a server failed');
      throw error;
    }
  }

  #connect(raw: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        socket: raw,
        secureContext: this.#secureContext(),
        servername: this.#options.serverName,
        ALPNProtocols: ['h2'],
        // The default, unless an environment variable of Node's says otherwise.
        rejectUnauthorized: true,
        checkServerIdentity: (_host, shown) => this.#check(shown),
      });
      let timer = this.#limit(socket, 'finish TLS', () => true);
      socket.once('close', () => {
        timer.cancel();
        reject(
          rpcErrors.error('rpc_unavailable', `${this.#expected('finish TLS')}, got a closed connection`),
        );
      });
      // Stays for the connection's life: until HTTP/2 takes the socket over nobody else listens.
      socket.on('error', reject);
      socket.once('secureConnect', () => {
        timer.cancel();
        if (this.#options.gone.aborted) return socket.destroy();
        timer = this.#limit(socket, 'begin HTTP/2', () => socket.bytesRead === 0);
        resolve(socket);
      });
    });
  }

  #limit(socket: TLSSocket, step: string, isLate: () => boolean): Timer {
    const { clock, handshakeTimeoutMs } = this.#options;
    return clock.after(handshakeTimeoutMs, () => {
      if (!isLate()) return;
      const message = `${this.#expected(step)} within ${handshakeTimeoutMs} ms, got nothing`;
      socket.destroy(rpcErrors.error('handshake_timeout', message));
    });
  }

  #expected(step: string): string {
    return `expected ${this.#options.serverName} to ${step}`;
  }

  /** Called by node:tls only after OpenSSL has accepted the chain. */
  #check(shown: Parameters<typeof readPeerChain>[0]): Error | undefined {
    try {
      const { serverName, bundle } = this.#options;
      const chain = readPeerChain(shown);
      if (chain === undefined)
        throw rpcErrors.error('peer_untrusted', 'expected a server certificate, got none');
      verifyPeerChain(chain, bundle.value, new Date(), 'server');
      const names = chain.leaf.sans.dns;
      if (names.includes(serverName)) return undefined;
      throw rpcErrors.error(
        'peer_unexpected',
        `expected the server to be ${serverName}, got ${names.join(', ') || 'no DNS name'}`,
      );
    } catch (error) {
      return error as Error;
    }
  }

  /** Building a context parses keys and anchors, so it is kept until one of them changes. */
  #secureContext(): SecureContext {
    const own = this.#options.shown.next();
    const bundle = this.#options.bundle.value;
    if (this.#context?.own !== own || this.#context?.bundle !== bundle) {
      this.#context = { own, bundle, value: createSecureContext(secureContextOptions(own, bundle)) };
    }
    return this.#context.value;
  }
}

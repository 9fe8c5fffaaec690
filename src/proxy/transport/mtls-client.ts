import { connect, TLSSocket } from 'node:tls';
import type { DetailedPeerCertificate } from 'node:tls';
import type { Socket } from 'node:net';

import { proxyErrors } from '../errors.ts';
import type { MeshContext } from './mesh-context.ts';
import type { PeerVerifier, PresentedPeer, VerifiedPeer } from './verify-peer.ts';

export interface MeshClientOptions {
  readonly serverName: string;
  readonly expectedIdentity: string;
  readonly alpn?: string | undefined;
  readonly context: MeshContext;
  readonly verifier: PeerVerifier;
}

export interface MeshClientTls {
  readonly socket: TLSSocket;
  readonly peer: VerifiedPeer;
  readonly alpn: string | undefined;
}

/**
 * Makes mesh TLS as the client on a TCP connection. Never offers a session of before: a resumed one would not look at
 * the server's certificate again. Rejects with a `mesh_*` error, what Node says, or `signal.reason`; the TCP
 * connection is then destroyed.
 */
export function connectMesh(
  tcp: Socket,
  options: MeshClientOptions,
  signal: AbortSignal,
): Promise<MeshClientTls> {
  return new Promise((resolve, reject) => {
    const { serverName, alpn, context } = options;
    let peer: VerifiedPeer | undefined;
    const socket = connect({
      socket: tcp,
      servername: serverName,
      secureContext: context.secureContext,
      // The default, unless an environment variable of Node's says otherwise.
      rejectUnauthorized: true,
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
      // Called once OpenSSL has accepted the chain, and before anyone may write.
      checkServerIdentity: () => {
        try {
          peer = verifyServer(presentedOn(socket), options);
          return undefined;
        } catch (error) {
          return error as Error;
        }
      },
    });
    // Node would take the whole chain apart for the check above at each handshake, a tenth of its time, while a peer that
    // is known is told by the fingerprint of its leaf.
    socket.getPeerCertificate = () => ({}) as DetailedPeerCertificate;
    const abort = (): void => {
      reject(signal.reason as Error);
      socket.destroy();
      tcp.destroy();
    };
    const closed = (): void => {
      signal.removeEventListener('abort', abort);
      const expected = `expected ${serverName} to finish TLS`;
      reject(proxyErrors.error('connection_reset', `${expected}, got a closed connection`));
    };
    // Stays for good: an error after the rejection must not go unheard.
    socket.on('error', reject);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      if (peer === undefined) return socket.destroy();
      signal.removeEventListener('abort', abort);
      socket.off('close', closed).pause();
      resolve({ socket, peer, alpn: socket.alpnProtocol || undefined });
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function presentedOn(socket: TLSSocket): PresentedPeer {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw proxyErrors.error('mesh_untrusted', 'expected a certificate, got none');
  return {
    fingerprint: leaf.fingerprint256,
    chain: () => TLSSocket.prototype.getPeerCertificate.call(socket, true) as DetailedPeerCertificate,
  };
}

/** The name must be in the certificate byte for byte: no wildcards, and a common name never counts (contract 3.1). */
function verifyServer(presented: PresentedPeer, options: MeshClientOptions): VerifiedPeer {
  const { expectedIdentity, context, verifier } = options;
  const peer = verifier.verify(presented, context.credentials.bundle, 'server');
  if (peer.dnsNames.includes(expectedIdentity) || peer.uris.includes(expectedIdentity)) return peer;
  const got = [...peer.dnsNames, ...peer.uris].join(', ') || 'no name at all';
  throw proxyErrors.error('mesh_wrong_identity', `expected the peer to be ${expectedIdentity}, got ${got}`);
}

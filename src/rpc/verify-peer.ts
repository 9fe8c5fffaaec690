import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

import { Certificate } from '../pki/certificate.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { PeerIdentity } from './call.ts';
import { rpcErrors } from './errors.ts';

/** The certificates a peer showed: its leaf, and what came with it. */
export interface PeerChain {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

/** Longer chains than this are no honest ones; the walk below must end in any case. */
const MAX_CHAIN = 10;

/**
 * Undefined where the peer showed no certificate. Throws `peer_untrusted` for one that cannot be read. `issuers` reads all
 * certificates but the leaf.
 */
export function readPeerChain(
  shown: DetailedPeerCertificate | PeerCertificate,
  issuers: { parse(der: Buffer): Certificate } = Certificate,
): PeerChain | undefined {
  const ders: Buffer[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = shown;
  while (next?.raw !== undefined && ders.length < MAX_CHAIN) {
    const { raw } = next;
    // A self-signed end names itself as its issuer.
    if (ders.some((seen) => seen.equals(raw))) break;
    ders.push(raw);
    next = next.issuerCertificate;
  }
  try {
    const [leaf, ...others] = ders;
    if (leaf === undefined) return undefined;
    return { leaf: Certificate.parse(leaf), intermediates: others.map((der) => issuers.parse(der)) };
  } catch (cause) {
    throw rpcErrors.error(
      'peer_untrusted',
      `expected a certificate, got one that cannot be read: ${errorMessage(cause)}`,
      {
        cause,
      },
    );
  }
}

/**
 * Verifies what OpenSSL has verified a second time by our own rules, so that this is never looser than the Rust
 * proxy's verifier (contract 3.1). Throws `peer_untrusted`.
 */
export function verifyPeerChain(
  chain: PeerChain,
  bundle: TrustBundle,
  at: Date,
  usage: 'server' | 'client',
): void {
  try {
    verifyChain({ ...chain, bundle, at, usage });
  } catch (cause) {
    throw rpcErrors.error('peer_untrusted', `the peer's certificate is refused: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

/** Who the peer is, by its leaf's names alone: the common name never counts. */
export function peerIdentity({ leaf }: PeerChain): PeerIdentity {
  return { dnsNames: leaf.sans.dns, uris: leaf.sans.uri, notAfter: leaf.notAfter };
}

import type { DetailedPeerCertificate } from 'node:tls';

import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import { readPeerChain } from '../../rpc/verify-peer.ts';
import type { PeerChain } from '../../rpc/verify-peer.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isAppError } from '../../runtime/errors.ts';
import { proxyErrors } from '../errors.ts';
import { firstIdentity } from './first-identity.ts';
import type { MeshPeer } from './engine.ts';

/** A peer whose chain holds, by OpenSSL and by our own rules. */
export interface VerifiedPeer extends MeshPeer {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

interface Known {
  readonly peer: VerifiedPeer;
  /** The first end on the path: the verdict holds no longer. */
  readonly until: Date;
}

export interface PresentedPeer {
  /** SHA-256 of the leaf. */
  readonly fingerprint: string;
  /** What the peer showed; read only where the verdict is not known yet. */
  chain(): DetailedPeerCertificate;
}

const defaultCapacity = 4096;

/**
 * Verifies peers that OpenSSL has accepted a second time, by the rules of `pki/`, so that no chain passes here which the
 * Rust proxy would refuse (contract 3.1). Good verdicts are kept by leaf and bundle, so that a known peer costs one look-up.
 */
export class PeerVerifier {
  readonly #clock: Clock;
  readonly #capacity: number;
  /** In the order of their last use. */
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, capacity = defaultCapacity) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Throws `mesh_untrusted` or `mesh_expired`. */
  verify(presented: PresentedPeer, bundle: TrustBundle, usage: 'server' | 'client'): VerifiedPeer {
    const at = this.#clock.now();
    const key = `${usage} ${bundle.sha256} ${presented.fingerprint}`;
    const before = this.#known.get(key);
    this.#known.delete(key);
    const known =
      before !== undefined && at <= before.until ? before : readPeer(presented, bundle, at, usage);
    this.#known.set(key, known);
    if (this.#known.size > this.#capacity) this.#forgetOldest();
    return known.peer;
  }

  #forgetOldest(): void {
    for (const key of this.#known.keys()) {
      this.#known.delete(key);
      return;
    }
  }
}

function readPeer(
  presented: PresentedPeer,
  bundle: TrustBundle,
  at: Date,
  usage: 'server' | 'client',
): Known {
  try {
    const shown = presented.chain();
    const chain = readPeerChain(shown);
    if (chain === undefined) throw proxyErrors.error('mesh_untrusted', 'expected a certificate, got none');
    const path = verifyChain({ ...chain, bundle, at, usage });
    const until = new Date(Math.min(...path.map(({ notAfter }) => notAfter.getTime())));
    return { peer: namesOf(chain, shown), until };
  } catch (cause) {
    throw refusal(cause);
  }
}

function namesOf({ leaf }: PeerChain, { subjectaltname }: DetailedPeerCertificate): VerifiedPeer {
  return {
    id: firstIdentity(subjectaltname),
    dnsNames: leaf.sans.dns,
    uris: leaf.sans.uri,
    notAfter: leaf.notAfter,
  };
}

function refusal(cause: unknown): unknown {
  if (!isAppError(cause) || cause.code.startsWith('mesh_')) return cause;
  const expired = cause.code === 'chain_expired' || cause.code === 'chain_not_yet_valid';
  return proxyErrors.error(expired ? 'mesh_expired' : 'mesh_untrusted', `peer refused: ${cause.message}`, {
    cause,
  });
}

import type { KeyObject } from 'node:crypto';
import { createIntermediate } from '../../pki/authority.ts';
import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { caKeyPair } from '../../pki/ca-key-pair.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { PublicKey } from '../../pki/public-key.ts';
import type { MeshDomain } from '../../pki/workload-identity.ts';
import { caName } from './ca-name.ts';

/** Clocks of peers may be behind by this much; fresh certificates must be good for them too. */
const BACK_DATED_MS = 5 * 60_000;

export interface MakeIssuerOptions {
  anchor: CaKeyPair;
  mesh: MeshDomain;
  lifetimeMs: number;
  now: Date;
  /** The issuer's private key; a new P-256 key unless given. */
  key?: KeyObject | undefined;
}

/**
 * A new issuer below the anchor: path length 0, so it signs workloads and no further CA. It never outlives the anchor.
 */
export async function makeIssuer({
  anchor,
  mesh,
  lifetimeMs,
  now,
  key,
}: MakeIssuerOptions): Promise<CaKeyPair> {
  const privateKey = key ?? generateKeyPair().privateKey;
  const from = Math.max(now.getTime() - BACK_DATED_MS, anchor.certificate.notBefore.getTime());
  const certificate = await createIntermediate({
    issuer: anchor,
    publicKey: PublicKey.of(privateKey),
    commonName: caName('identity', mesh),
    pathLength: 0,
    notBefore: new Date(from),
    notAfter: new Date(now.getTime() + lifetimeMs),
  });
  return caKeyPair([certificate, ...anchor.chain], privateKey);
}

import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import type { TrustBundle } from './trust-bundle.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

/** All a process needs to speak mutual TLS as one workload. Replaced as a whole, never changed. */
export interface Credentials {
  readonly identity: WorkloadIdentity;
  readonly leaf: Certificate;
  /** What is sent to the peer: the leaf, then its intermediates; never the anchor. */
  readonly chain: readonly Certificate[];
  /** Private key of the leaf; in memory only. */
  readonly key: KeyObject;
  /** Whom this workload trusts. */
  readonly bundle: TrustBundle;
}

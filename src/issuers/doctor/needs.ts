import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';

/** The mesh that an issuer is examined for. */
export interface ExaminedMesh {
  /** The identity service's own name, which probes ask for. */
  readonly identity: WorkloadIdentity;
  readonly trustDomain: string;
  readonly controlNamespace: string;
  readonly serviceAccount: string;
  /** Milliseconds that workload certificates live. */
  readonly lifetimeMs: number;
}

export interface ExaminationNeeds {
  readonly mesh: ExaminedMesh;
  /** The published anchors; undefined where they could not be read. */
  readonly bundle: TrustBundle | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long what is signed on trial lives, in milliseconds; its key is thrown away at once. */
export const probeLifetimeMs = 300_000;

/** A year, as long as no workload certificate should be. */
export const yearMs = 365 * 24 * 3_600_000;

/** Where all names of workloads end. */
export function namesEnd({ controlNamespace, trustDomain }: ExaminedMesh): string {
  return `serviceaccount.identity.${controlNamespace}.${trustDomain}`;
}

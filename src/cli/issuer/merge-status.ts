import type { IssuerStatus } from '../../identity/issuer-status.ts';
import type { ReplicaStatus } from './read-status.ts';

/** All replicas together; the JSON answer of `kedge issuer status`. */
export interface MeshStatus {
  /** The earliest over all replicas: when the first workload is without a certificate if the CA stays away from now. */
  readonly firstExpiry?: IssuerStatus['firstExpiry'] & object;
  /** Until when all workloads are good that renew as they should, by the replica that says the earliest. */
  readonly holdsUntil?: string;
  readonly workloads: { readonly known: number; readonly quiet: number; readonly forgotten: number };
  /** Sums over the replicas, in the order of the windows. */
  readonly expiries: IssuerStatus['expiries'];
  readonly replicas: readonly ReplicaStatus[];
}

export function mergeStatus(replicas: readonly ReplicaStatus[]): MeshStatus {
  const told = replicas.map(({ status }) => status).filter((status) => status !== undefined);
  const [firstExpiry] = told
    .map((status) => status.firstExpiry)
    .filter((expiry) => expiry !== undefined)
    .toSorted((a, b) => a.at.localeCompare(b.at));
  const [holdsUntil] = told
    .map((status) => status.holdsUntil)
    .filter((until) => until !== undefined)
    .toSorted();
  const sum = (count: (status: IssuerStatus) => number): number =>
    told.reduce((total, status) => total + count(status), 0);
  const windows = told[0]?.expiries.map(({ within }) => within) ?? [];
  return {
    ...(firstExpiry && { firstExpiry }),
    ...(holdsUntil !== undefined && { holdsUntil }),
    workloads: {
      known: sum(({ workloads }) => workloads.known),
      quiet: sum(({ workloads }) => workloads.quiet),
      forgotten: sum(({ workloads }) => workloads.forgotten),
    },
    expiries: windows.map((within) => ({
      within,
      workloads: sum(({ expiries }) => expiries.find((one) => one.within === within)?.workloads ?? 0),
    })),
    replicas,
  };
}

/** Whether every replica could be asked and can sign with no other in place of its CA. */
export function isWell({ replicas }: MeshStatus): boolean {
  return replicas.every(({ status }) => status?.issuer.state === 'ready');
}

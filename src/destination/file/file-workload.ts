import type { ServerPolicy } from '../server-policy.ts';
import type { Workload } from '../workload.ts';

/** A workload of the file, with the policy of each of its ports. */
export interface FileWorkload extends Workload {
  /** The ports the file says anything of. On an address of several workloads, that is what makes a port theirs. */
  readonly listed: ReadonlySet<number>;
  policyAt(port: number): ServerPolicy;
}

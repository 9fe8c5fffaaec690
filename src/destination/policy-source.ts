import type { ServerPolicy } from './server-policy.ts';
import type { Watched } from './watched.ts';
import type { WorkloadName } from './workload-name.ts';

/** `unknown_workload`: the source has loaded, and has no such workload. */
export type PortPolicy = ServerPolicy | 'unknown_workload';

/** Where inbound policy comes from: a file here, Kubernetes elsewhere. */
export interface PolicySource {
  watchPolicy(workload: WorkloadName, port: number): Watched<PortPolicy>;
}

import type { DoctorReport } from '../../../../src/cli/doctor/report.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace } from '../install-kedge.ts';

/** What `kedge doctor issuer` says in the pod of identity, with its settings and its rights. */
export async function doctorInPod(cluster: TestCluster): Promise<DoctorReport> {
  const inPod = [`--namespace=${controlNamespace}`, 'exec', 'deploy/kedge-identity', '--', 'sh', '-c'];
  // Its exit code tells only the worst of what the report tells.
  const command = 'node /kedge/kedge.mjs doctor issuer --output=json || true';
  return JSON.parse(await cluster.kubectl([...inPod, command])) as DoctorReport;
}

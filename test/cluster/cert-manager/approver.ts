import { readFileSync } from 'node:fs';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import { executable } from '../missing.ts';
import type { TestCluster } from '../test-cluster.ts';
import { unusedPorts } from '../unused-ports.ts';
import { resourceNamespace } from './cert-manager.ts';
import { approveByPolicy, policyDefinition } from './policy-approver.ts';
import { definitionsKnown } from '../definitions-known.ts';

const version = '0.28.0';
const cached = (name: string): string => cacheDirectory('approver-policy', `v${version}`, name);

/** Not fetched by anything here: whoever has built it has it tried, and the stand-in is for everybody. */
const built = executable(cached('approver-policy'));

/** What decides on requests, for people. */
export const approverTitle = built ? `approver-policy ${version}` : 'a stand-in for approver-policy';

/** Takes the kind of its policies for known, as its own installation would have made it. */
export async function definePolicies(cluster: TestCluster): Promise<void> {
  const input = built ? readFileSync(cached('definition.yaml'), 'utf8') : JSON.stringify(policyDefinition);
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input });
  const { name } = policyDefinition.metadata;
  await definitionsKnown(cluster, name);
}

/** Has requests approved and denied by policies, until the signal is aborted or the cluster ends; resolves when it works. */
export async function startApprover(
  cluster: TestCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  if (!built) return { ended: approveByPolicy(cluster, namespace, signal) };
  const [health = 0, webhook = 0] = await unusedPorts(2);
  const component = cluster.startBeside({
    name: 'approver-policy',
    words: [
      ...[cached('approver-policy'), `--kubeconfig=${cluster.kubeconfig}`, '--metrics-bind-address=0'],
      `--readiness-probe-bind-address=127.0.0.1:${health}`,
      ...['--webhook-host=127.0.0.1', `--webhook-port=${webhook}`],
      ...[`--leader-election-namespace=${resourceNamespace}`],
    ],
  });
  await component.ready(async () => {
    const { ok, status } = await fetch(`http://127.0.0.1:${health}/readyz`);
    if (!ok) throw new Error(`expected approver-policy to be well, it answered ${status}`);
  });
  return { ended: Promise.resolve() };
}

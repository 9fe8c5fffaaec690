import type { TestCluster } from '../test-cluster.ts';

/** Waits until every Deployment of a namespace has all its pods, and they are ready. */
export async function rolledOut(cluster: TestCluster, namespace: string): Promise<void> {
  const names = await cluster.kubectl([`--namespace=${namespace}`, 'get', 'deployments', '--output=name']);
  for (const name of names.trim().split('\n')) {
    await cluster.kubectl([`--namespace=${namespace}`, 'rollout', 'status', name, '--timeout=180s']);
  }
}

/** Has Deployments replace their pods, and waits until all of the namespace are ready. */
export async function restart(
  cluster: TestCluster,
  namespace: string,
  deployments: readonly string[],
): Promise<void> {
  await cluster.kubectl([`--namespace=${namespace}`, 'rollout', 'restart', ...deployments]);
  await rolledOut(cluster, namespace);
}

import { eventually } from '../support/eventually.ts';
import type { TestCluster } from './test-cluster.ts';

/**
 * Waits until the API server serves a definition, all of them without a name. kubectl fails at once, with an error of its
 * own, where one has no condition at all yet, so it is asked again.
 */
export async function definitionsKnown(cluster: TestCluster, name?: string): Promise<void> {
  const which = name === undefined ? ['crd', '--all'] : [`crd/${name}`];
  await eventually(() => cluster.kubectl(['wait', '--for=condition=Established', ...which, '--timeout=20s']));
}

import { missingHelm } from '../helm.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster, TestClusterOptions } from '../test-cluster.ts';

/** `onKubernetes` where helm is at hand as well; skipped, with what is missing in its name, where it is not. */
export function onKubernetesWithHelm(
  name: string,
  tests: (cluster: TestCluster) => void,
  options?: TestClusterOptions,
): void {
  const missing = missingHelm();
  if (missing === undefined) onKubernetes(name, tests, options);
  else describe.skip(`${name} (skipped: ${missing})`, () => it.todo('install the chart'));
}

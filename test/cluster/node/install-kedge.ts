import type { TestCluster } from '../test-cluster.ts';

export const controlNamespace = 'kedge';

const chart = new URL('../../../helm', import.meta.url).pathname;
const images = ['image.repository=kedge', 'image.tag=local', 'image.pullPolicy=Never'];

/** Installs Kedge from its chart, with the image made of this tree, and waits until it is ready. */
export async function installKedge(cluster: TestCluster): Promise<void> {
  await cluster.loadImage('kedge');
  await runChart(cluster, 'install', ['--create-namespace', '--wait']);
}

/** Installs or upgrades the chart with the image that was loaded, and gives what helm says. */
export function runChart(
  cluster: TestCluster,
  verb: 'install' | 'upgrade',
  args: readonly string[],
): Promise<string> {
  return cluster.helm([
    ...[verb, 'kedge', chart, `--namespace=${controlNamespace}`, '--timeout=3m'],
    ...images.map((value) => `--set=${value}`),
    ...args,
  ]);
}

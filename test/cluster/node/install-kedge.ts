import type { TestCluster } from '../test-cluster.ts';

const chart = new URL('../../../helm', import.meta.url).pathname;
const values = ['image.repository=kedge', 'image.tag=local', 'image.pullPolicy=Never'];

/** Installs Kedge from its chart, with the image made of this tree, and waits until it is ready. */
export async function installKedge(cluster: TestCluster): Promise<void> {
  await cluster.loadImage('kedge');
  await cluster.helm([
    'install',
    'kedge',
    chart,
    '--namespace=kedge',
    '--create-namespace',
    '--wait',
    '--timeout=3m',
    ...values.flatMap((value) => ['--set', value]),
  ]);
}

import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { installKedge } from './install-kedge.ts';
import { shopNamespace, shopObjects, steadyClient } from './shop/shop.ts';
import type { Tally } from './shop/steady-client.ts';

const minute = 60_000;
const webIdentity = 'web.shop.serviceaccount.identity.kedge.cluster.local';

onKubernetes(
  'Kedge on a node, installed from its chart',
  (cluster) => {
    beforeAll(async () => {
      await installKedge(cluster);
      await cluster.createNamespace(shopNamespace);
      await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(shopObjects()) });
      await rolledOut(cluster, shopNamespace);
    }, 10 * minute);

    it.each([
      ['the name', 8001],
      ['the address', 8002],
    ])('carries a call through %s of a Service over mutual TLS', async (_, port) => {
      const script = `fetch('http://127.0.0.1:${port}').then((answer) => answer.text()).then(console.log)`;
      const command = ['exec', 'deploy/web', '--container=application', '--', 'node', '--eval', script];
      const said = await eventually(() => inShop(cluster, command));

      expect(said).toMatch(/^api-/);
    });

    it('shows the identity of who called, at who was called', async () => {
      const pods = await inShop(cluster, ['get', 'pods', '--selector=app=api', '--output=name']);
      const names = pods
        .trim()
        .split('\n')
        .map((name) => name.replace('pod/', ''));
      const metrics = await Promise.all(names.map((name) => metricsOf(cluster, name)));

      const opened = metrics
        .join('\n')
        .split('\n')
        .filter((line) => line.startsWith('tcp_open_total'));
      const fromWeb = opened.filter((line) => line.includes(`client_id="${webIdentity}"`));
      expect(fromWeb.length).toBeGreaterThan(0);
      for (const line of fromWeb) expect(line).toContain('tls="true"');
    });

    it(
      'loses no request while its issuer is taken away and everything is restarted',
      async () => {
        await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(steadyClient) });
        await eventually(async () => expect((await tally(cluster)).answered).toBeGreaterThan(40));
        const emptied = ['--type=json', '--patch', JSON.stringify([{ op: 'remove', path: '/data' }])];
        await cluster.kubectl(['--namespace=kedge', 'patch', 'secret', 'kedge-issuer', ...emptied]);
        await restart(cluster, shopNamespace, ['deploy/api', 'deploy/web']);
        await restart(cluster, 'kedge', ['deploy/kedge-identity', 'deploy/kedge-destination']);
        await restart(cluster, shopNamespace, ['deploy/web', 'deploy/api']);

        const before = await tally(cluster);
        await eventually(async () =>
          expect((await tally(cluster)).answered).toBeGreaterThan(before.answered + 40),
        );
        const { sent, answered, lost, reasons } = await tally(cluster);
        expect({ lost, reasons }).toEqual({ lost: 0, reasons: [] });
        // What was asked in the last moment has no answer yet.
        expect(sent - answered).toBeLessThan(40);
      },
      10 * minute,
    );
  },
  { node: true },
);

/** Waits until every Deployment of a namespace has all its pods, and they are ready. */
async function rolledOut(cluster: TestCluster, namespace: string): Promise<void> {
  const names = await cluster.kubectl([`--namespace=${namespace}`, 'get', 'deployments', '--output=name']);
  for (const name of names.trim().split('\n')) {
    await cluster.kubectl([`--namespace=${namespace}`, 'rollout', 'status', name, '--timeout=180s']);
  }
}

async function restart(cluster: TestCluster, namespace: string, deployments: string[]): Promise<void> {
  await cluster.kubectl([`--namespace=${namespace}`, 'rollout', 'restart', ...deployments]);
  await rolledOut(cluster, namespace);
}

function inShop(cluster: TestCluster, args: readonly string[]): Promise<string> {
  return cluster.kubectl([`--namespace=${shopNamespace}`, ...args]);
}

function metricsOf(cluster: TestCluster, pod: string): Promise<string> {
  const path = `/api/v1/namespaces/${shopNamespace}/pods/${pod}:4191/proxy/metrics`;
  return cluster.kubectl(['get', '--raw', path]);
}

/** What the steady client has seen so far. */
async function tally(cluster: TestCluster): Promise<Tally> {
  const last = await inShop(cluster, ['logs', 'steady-client', '--tail=1']);
  return JSON.parse(last) as Tally;
}

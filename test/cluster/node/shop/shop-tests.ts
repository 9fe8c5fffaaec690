import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { decisionsAt, type Decisions } from '../probes/decisions.ts';
import { restart } from '../rollout.ts';
import { admission, ruleName } from './admission.ts';
import type { HeldConnection } from './held-connection.ts';
import { RunningShop, ways, webIdentity } from './running-shop.ts';
import { shopNamespace } from './shop.ts';

const minute = 60_000;

/** Two Deployments of a mesh, on a node where Kedge is installed. */
export function shopTests(cluster: TestCluster): void {
  const shop = new RunningShop(cluster);
  const inWeb = ['exec', 'deploy/web', '--container=application', '--', 'node'];
  const policy = (verb: 'apply' | 'delete', identities: readonly string[]): Promise<string> =>
    shop.kubectl([verb, '--filename=-'], { input: JSON.stringify(admission(identities)) });
  /** What the proxies of `api` have decided. */
  const decisions = async (): Promise<Decisions> => decisionsAt(8080, await shop.metricsOfApi());

  beforeAll(async () => {
    await cluster.createNamespace(shopNamespace);
    await shop.open();
  }, 10 * minute);

  it.each(['name', 'address'] as const)(
    'carries a call through the %s of a Service over mutual TLS',
    async (way) => {
      expect(await shop.call(way)).toMatch(/^api-/);
    },
  );

  it('shows the identity of who called, at who was called', async () => {
    const fromWeb = await shop.connectionsOfWeb();
    expect(fromWeb.length).toBeGreaterThan(0);
    for (const line of fromWeb) expect(line).toContain('tls="true"');
  });

  it('is on record with the pod, its id and the node that each certificate was given to', async () => {
    const log = await cluster.kubectl(['--namespace=kedge', 'logs', 'deploy/kedge-identity']);
    const lines = log.trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const given = records.filter(
      ({ message, identity }) => message === 'certificate given' && identity === webIdentity,
    );
    const pods = await shop.kubectl(['get', 'pods', '--selector=app=web', '--output=json']);
    const { items } = JSON.parse(pods) as { items: { metadata: { name: string; uid: string } }[] };
    for (const { metadata } of items) {
      expect(given).toContainEqual(
        expect.objectContaining({ podName: metadata.name, podUid: metadata.uid, nodeName: 'node1' }),
      );
    }
  });

  it('cuts a connection and refuses others once a policy no longer lets the client in, until it is taken away', async () => {
    await policy('apply', [webIdentity]);
    await eventually(async () => {
      expect(await shop.call('name')).toMatch(/^api-/);
      expect((await decisions()).allowed).toHaveProperty(ruleName);
    });
    const held = shop.kubectl([...inWeb, '/programs/held-connection.ts', String(ways.name)]);
    await eventually(async () => {
      const lines = await shop.connectionsOfWeb('tcp_open_connections');
      expect(lines.filter((line) => line.includes('peer="src"') && line.endsWith(' 1'))).toHaveLength(1);
    });

    await policy('apply', [webIdentity.replace('web.', 'somebody-else.')]);
    const { answered, open } = JSON.parse(await held) as HeldConnection;
    expect(open).toBe(false);
    expect(answered).toBeGreaterThan(0);
    const { cut, denied } = await decisions();
    expect(cut).toBe(1);
    const ask = `fetch('http://127.0.0.1:${ways.name}')`;
    await expect(shop.kubectl([...inWeb, '--eval', ask])).rejects.toThrow('fetch failed');
    expect((await decisions()).denied).toBe(denied + 1);

    await policy('delete', []);
    expect(await shop.call('name')).toMatch(/^api-/);
  }, 120_000);

  it(
    'loses no request while its issuer is taken away and everything is restarted',
    async () => {
      await shop.startSteadyClient();
      const emptied = ['--type=json', '--patch', JSON.stringify([{ op: 'remove', path: '/data' }])];
      await cluster.kubectl(['--namespace=kedge', 'patch', 'secret', 'kedge-issuer', ...emptied]);
      await restart(cluster, shopNamespace, ['deploy/api', 'deploy/web']);
      await restart(cluster, 'kedge', ['deploy/kedge-identity', 'deploy/kedge-destination']);
      await restart(cluster, shopNamespace, ['deploy/web', 'deploy/api']);

      const { sent, answered, lost, reasons } = await shop.laterTally();
      expect({ lost, reasons }).toEqual({ lost: 0, reasons: [] });
      // What was asked in the last moment has no answer yet.
      expect(sent - answered).toBeLessThan(40);
    },
    10 * minute,
  );
}

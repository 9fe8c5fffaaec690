import { eventually } from '../../support/eventually.ts';
import { gatewayDefinitions } from '../policy/support/gateway-definitions.ts';
import type { TestCluster } from '../test-cluster.ts';
import { accountsOf, callsOf, covers, rightsOf } from './access.ts';
import type { Access, Call } from './access.ts';
import { onKubernetesWithHelm } from './on-kubernetes-with-helm.ts';
import { Release } from './release.ts';

const parentRefs = [{ group: 'policy.linkerd.io', kind: 'Server', name: 'api' }];
const route = (kind: string, apiVersion: string): object => ({
  apiVersion,
  kind,
  metadata: { name: 'api', namespace: 'shop' },
  spec: { parentRefs },
});

/** A namespace with one of everything that destination does something about. */
const shop = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api', namespace: 'shop' },
    spec: { selector: { app: 'api' }, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'api', namespace: 'shop' },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'api', namespace: 'shop', labels: { app: 'api' } },
    spec: {
      serviceAccountName: 'api',
      containers: [{ name: 'api', image: 'api', ports: [{ containerPort: 80 }] }],
    },
  },
  {
    apiVersion: 'policy.linkerd.io/v1beta3',
    kind: 'Server',
    metadata: { name: 'api', namespace: 'shop' },
    spec: { podSelector: { matchLabels: { app: 'api' } }, port: 80 },
  },
  route('HTTPRoute', 'policy.linkerd.io/v1beta3'),
  route('HTTPRoute', 'gateway.networking.k8s.io/v1'),
  route('GRPCRoute', 'gateway.networking.k8s.io/v1alpha2'),
];

const calls = (cluster: TestCluster, { namespace }: Release, account: string): Call[] =>
  callsOf(cluster.auditLog(), namespace, account);

onKubernetesWithHelm('the rights of the chart', (cluster) => {
  const opened: Release[] = [];
  const release = (): Release => {
    const [only] = opened;
    if (only === undefined) throw new Error('expected the chart to be installed');
    return only;
  };

  beforeAll(async () => {
    const create = (objects: object): Promise<string> =>
      cluster.kubectl(['create', '--filename=-'], { input: JSON.stringify(objects) });
    await create({ apiVersion: 'v1', kind: 'List', items: gatewayDefinitions });
    opened.push(await Release.install(cluster));
    await release().start('identity');
    await release().start('destination');
    await create({ apiVersion: 'v1', kind: 'List', items: shop });
    await mendedByHand(cluster);
    // A second certificate for the same ServiceAccount, which is counted in the Event of the first.
    await release().stop('destination');
    await release().start('destination');
  }, 180_000);

  afterAll(() => opened[0]?.[Symbol.asyncDispose]());

  const accounts = (): string[] => accountsOf(release().objects);

  it('are used by each of its ServiceAccounts, every one of them', async () => {
    await eventually(() => {
      const unused = accounts().flatMap((account) => {
        const made = calls(cluster, release(), account);
        const rights = rightsOf(release().objects, account);
        expect([account, rights.length]).not.toEqual([account, 0]);
        return rights.filter((right) => !made.some((call) => covers(right, call)));
      });
      expect(unused).toEqual([]);
    });
  });

  it('are all that they need: each of their calls is covered and none was refused', () => {
    for (const account of accounts()) {
      const rights = rightsOf(release().objects, account);
      const made = calls(cluster, release(), account);
      const notCovered = made.filter((call) => !rights.some((right: Access) => covers(right, call)));
      expect([account, notCovered]).toEqual([account, []]);
      expect(made.filter(({ code }) => code === 401 || code === 403)).toEqual([]);
    }
  });
});

/** Waits for the copy of the trust bundle, changes it by hand, and waits until it is as it was. */
async function mendedByHand(cluster: TestCluster): Promise<void> {
  const path = '/api/v1/namespaces/shop/configmaps/kedge-trust-bundle';
  const bundle = async (): Promise<string | undefined> => {
    const { data } = await cluster.expect<{ readonly data?: Readonly<Record<string, string>> }>(path);
    return data?.['ca-bundle.crt'];
  };
  const made = await eventually(bundle);
  expect(made).toContain('BEGIN CERTIFICATE');
  await cluster.expect(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: { data: { 'ca-bundle.crt': 'another' } },
  });
  await eventually(async () => expect(await bundle()).toBe(made));
}

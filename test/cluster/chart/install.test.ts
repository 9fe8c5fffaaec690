import { chart, runHelm } from '../helm.ts';
import type { TestCluster } from '../test-cluster.ts';
import { renderText } from '../../helm/rendered-chart.ts';
import { mayDo } from './access-review.ts';
import { onKubernetesWithHelm } from './on-kubernetes-with-helm.ts';

const namespace = 'kedge';
const issuer = `/api/v1/namespaces/${namespace}/secrets/kedge-issuer`;
const anchor = `/api/v1/namespaces/${namespace}/secrets/kedge-trust-anchor`;
const bundle = `/api/v1/namespaces/${namespace}/configmaps/kedge-trust-bundle`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const definition = `${definitions}/servers.policy.linkerd.io`;

/** What another release has brought into the cluster. */
const foreignDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'externalworkloads.workload.linkerd.io',
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: {
      'meta.helm.sh/release-name': 'linkerd-crds',
      'meta.helm.sh/release-namespace': 'linkerd',
    },
  },
  spec: {
    group: 'workload.linkerd.io',
    scope: 'Namespaced',
    names: { kind: 'ExternalWorkload', plural: 'externalworkloads', singular: 'externalworkload' },
    versions: [
      { name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

interface Kept {
  readonly metadata: { readonly uid: string };
  readonly data?: Readonly<Record<string, string>>;
}

const contents = (cluster: TestCluster): Promise<(Kept['data'] | string)[][]> =>
  Promise.all(
    [issuer, anchor, bundle].map(async (path) => {
      const { metadata, data } = await cluster.expect<Kept>(path);
      return [metadata.uid, data];
    }),
  );

/** What identity does at its first start. */
async function fill(cluster: TestCluster): Promise<void> {
  const data = { 'tls.crt': btoa('a certificate'), 'tls.key': btoa('a key') };
  const content: [path: string, data: object][] = [
    [issuer, data],
    [anchor, data],
    [bundle, { 'ca-bundle.crt': 'a certificate' }],
  ];
  for (const [path, filled] of content) {
    const object = await cluster.expect<object>(path);
    await cluster.expect(`${path}?fieldManager=kedge-identity`, {
      method: 'PUT',
      body: { ...object, data: filled },
    });
  }
}

onKubernetesWithHelm('the chart applied by kubectl', (cluster) => {
  const apply = async (): Promise<string> =>
    cluster.kubectl(['apply', `--namespace=${namespace}`, '--filename=-'], { input: await renderText() });

  it('is taken whole, and changes nothing when it is applied again after the CA was made', async () => {
    await cluster.createNamespace(namespace);
    expect(await apply()).toContain('deployment.apps/kedge-identity created');
    await fill(cluster);
    const before = await contents(cluster);
    const again = (await apply()).trim().split('\n');
    expect(again.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    expect(await contents(cluster)).toEqual(before);
  });
});

onKubernetesWithHelm('a release of the chart', (cluster) => {
  const helm = (...args: string[]): Promise<string> =>
    runHelm([...args, `--namespace=${namespace}`], { kubeconfig: cluster.kubeconfig });
  const install = (): Promise<string> => helm('install', 'kedge', chart, '--create-namespace');
  const upgrade = (...args: string[]): Promise<string> => helm('upgrade', 'kedge', chart, ...args);

  it('leaves definitions of others as they are', async () => {
    const theirs = await cluster.expect<object>(definitions, { method: 'POST', body: foreignDefinition });
    expect(await install()).toContain('STATUS: deployed');
    await upgrade();
    expect(await cluster.expect<object>(`${definitions}/${foreignDefinition.metadata.name}`)).toMatchObject({
      metadata: { uid: (theirs as Kept).metadata.uid, labels: foreignDefinition.metadata.labels },
      spec: foreignDefinition.spec,
    });
    expect(await helm('get', 'manifest', 'kedge')).not.toContain(foreignDefinition.metadata.name);
  });

  it('keeps no key: what helm remembers of it has none', async () => {
    await fill(cluster);
    expect(await helm('get', 'manifest', 'kedge')).not.toMatch(/^(data|stringData):/m);
  });

  it('leaves the CA alone when it is upgraded', async () => {
    const before = await contents(cluster);
    await upgrade('--set=logLevel=debug,destination.replicas=2');
    expect(await contents(cluster)).toEqual(before);
    await upgrade('--set=local.bootstrap=false');
    expect(await contents(cluster)).toEqual(before);
    await upgrade();
    expect(await contents(cluster)).toEqual(before);
  });

  it('leaves the CA and the definitions where they are when it goes, and the next one takes them again', async () => {
    const before = await contents(cluster);
    const defined = await cluster.expect<Kept>(definition);
    await helm('uninstall', 'kedge');
    expect(await contents(cluster)).toEqual(before);
    const { items } = await cluster.expect<{ readonly items: unknown[] }>(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles?labelSelector=app.kubernetes.io/name=kedge',
    );
    expect(items).toEqual([]);
    await install();
    expect(await contents(cluster)).toEqual(before);
    expect((await cluster.expect<Kept>(definition)).metadata.uid).toBe(defined.metadata.uid);
  });

  it('lets nobody but identity near the keys', async () => {
    await cluster.createNamespace('shop');
    const others = [
      { namespace, name: 'kedge-destination' },
      { namespace, name: 'default' },
      { namespace: 'shop', name: 'default' },
    ];
    for (const account of others) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) {
        for (const name of ['kedge-issuer', 'kedge-trust-anchor', undefined]) {
          const asked = { verb, resource: 'secrets', namespace, ...(name !== undefined && { name }) };
          expect([account, asked, await mayDo(cluster, account, asked)]).toEqual([account, asked, false]);
        }
      }
    }
    const destination = { namespace, name: 'kedge-destination' };
    for (const verb of ['get', 'list', 'watch']) {
      expect(await mayDo(cluster, destination, { verb, resource: 'secrets' })).toBe(false);
    }
  });

  it('lets identity near its own Secrets by their names, and near nothing that would be a way around', async () => {
    const identity = { namespace, name: 'kedge-identity' };
    const may = (verb: string, resource: string, name?: string, where = namespace): Promise<boolean> =>
      mayDo(cluster, identity, { verb, resource, namespace: where, ...(name !== undefined && { name }) });
    expect(await may('get', 'secrets', 'kedge-issuer')).toBe(true);
    expect(await may('update', 'secrets', 'kedge-trust-anchor')).toBe(true);
    expect(await may('create', 'configmaps', 'kedge-trust-bundle', 'shop')).toBe(true);
    const refused: [verb: string, resource: string, name?: string, where?: string][] = [
      ['create', 'secrets'],
      ['create', 'secrets', 'kedge-issuer'],
      ['list', 'secrets'],
      ['watch', 'secrets', 'kedge-trust-anchor'],
      ['delete', 'secrets', 'kedge-issuer'],
      ['get', 'secrets', 'kedge-issuer', 'shop'],
      ['get', 'secrets', 'another'],
      ['create', 'configmaps'],
      ['patch', 'configmaps', 'another', 'shop'],
      ['delete', 'configmaps', 'kedge-trust-bundle', 'shop'],
      ['create', 'serviceaccounts/token', 'kedge-destination'],
      ['get', 'pods', 'web', 'shop'],
    ];
    for (const [verb, resource, name, where] of refused) {
      expect([verb, resource, name, await may(verb, resource, name, where)]).toEqual([
        verb,
        resource,
        name,
        false,
      ]);
    }
  });
});

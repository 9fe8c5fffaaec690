import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { render, renderText } from '../../helm/rendered-chart.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { chart, runHelm } from '../helm.ts';
import type { TestCluster } from '../test-cluster.ts';
import { mayDo } from './access-review.ts';
import { accountsOf } from './access.ts';
import { definitionVersionTests } from './definition-version-tests.ts';
import { foreignDefinition, foreignName } from './foreign-definition.ts';
import { onKubernetesWithHelm } from './on-kubernetes-with-helm.ts';
import { definitionsKnown } from '../definitions-known.ts';

const namespace = 'kedge';
const issuer = `/api/v1/namespaces/${namespace}/secrets/kedge-issuer`;
const anchor = `/api/v1/namespaces/${namespace}/secrets/kedge-trust-anchor`;
const bundle = `/api/v1/namespaces/${namespace}/configmaps/kedge-trust-bundle`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const definition = `${definitions}/servers.policy.linkerd.io`;
const crd = 'customresourcedefinition.apiextensions.k8s.io/';
const managedBy = 'app.kubernetes.io/managed-by';

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

onKubernetesWithHelm('the chart', (cluster) => {
  const helm = (...args: string[]): Promise<string> =>
    runHelm([...args, `--namespace=${namespace}`], { kubeconfig: cluster.kubeconfig });
  const upgrade = (...args: string[]): Promise<string> => helm('upgrade', 'kedge', chart, ...args);
  const kubectl = (input: string, verb: string, ...args: string[]): Promise<string> =>
    cluster.kubectl([verb, `--namespace=${namespace}`, '--filename=-', ...args], { input });
  /** As it is, byte for byte. */
  const foreign = (): Promise<string> => cluster.kubectl(['get', '--raw', `${definitions}/${foreignName}`]);
  const defined = async (): Promise<string[]> => {
    const names = await cluster.kubectl(['get', 'crd', '--output=name']);
    return names.trim().split('\n').toSorted();
  };

  it('is taken whole by kubectl, and changes nothing when it is applied again after the CA was made', async () => {
    const text = await renderText({ crds: { install: 'always' } });
    await cluster.createNamespace(namespace);
    expect(await kubectl(text, 'apply')).toContain('deployment.apps/kedge-identity created');
    await fill(cluster);
    const before = await contents(cluster);
    const again = (await kubectl(text, 'apply')).trim().split('\n');
    expect(again.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    expect(await contents(cluster)).toEqual(before);
    await kubectl(text, 'delete');
  });

  it('leaves a definition of another release as it is where it is applied', async () => {
    await cluster.expect<object>(definitions, { method: 'POST', body: foreignDefinition });
    await definitionsKnown(cluster, foreignName);
    const before = await foreign();
    const whole = await renderText();
    await kubectl(whole, 'apply');
    expect([await foreign(), await defined()]).toEqual([before, [`${crd}${foreignName}`]]);
    await kubectl(whole, 'delete');

    const show = ['--set=crds.install=always', '--show-only=templates/crds/*'];
    const wanted = await helm('template', 'kedge', chart, ...show);
    await expect(kubectl(wanted, 'apply', '--server-side')).rejects.toThrow(/conflict.*\.spec\.versions/s);
    expect(await foreign()).toBe(before);
    const all = await defined();
    expect(all).toHaveLength(7);
    await cluster.kubectl(['delete', ...all.filter((name) => name !== `${crd}${foreignName}`)]);
  });

  it('leaves it so where it is installed and upgraded too, and brings its own definitions up to date', async () => {
    const before = await foreign();
    using older = new TemporaryDirectory();
    cpSync(chart, older.path, { recursive: true });
    const file = older.file('templates', 'crds', 'server.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('[srv]', '[srv, server1]'));
    const server = (): Promise<object> => cluster.expect<object>(definition);
    expect(await helm('install', 'kedge', older.path, '--create-namespace')).toContain('STATUS: deployed');
    expect(await server()).toMatchObject({ spec: { names: { shortNames: ['srv', 'server1'] } } });
    await upgrade();
    expect(await server()).toMatchObject({ spec: { names: { shortNames: ['srv'] } } });
    await expect(upgrade('--set=crds.install=always')).rejects.toThrow(/invalid ownership metadata/);
    expect([await foreign(), (await defined()).length]).toEqual([before, 7]);
    expect(await helm('get', 'manifest', 'kedge')).not.toContain(`name: ${foreignName}`);
  });

  describe('has definitions that', () => definitionVersionTests(cluster));

  it('keeps no key: what helm remembers of it has none', async () => {
    await fill(cluster);
    expect(await helm('get', 'manifest', 'kedge')).not.toMatch(/^(data|stringData):/m);
  });

  it('leaves the CA alone when it is upgraded, and definitions that are no longer wanted', async () => {
    const before = await contents(cluster);
    await upgrade('--set=logLevel=debug,destination.replicas=2');
    expect(await contents(cluster)).toEqual(before);
    await upgrade('--set=local.bootstrap=false,crds.install=never');
    expect([await contents(cluster), (await defined()).length]).toEqual([before, 7]);
    await upgrade('--reset-values');
    expect(await contents(cluster)).toEqual(before);
  });

  it('leaves the CA and the definitions where they are when it goes, and the next one takes them again', async () => {
    const before = await contents(cluster);
    const { metadata } = await cluster.expect<Kept>(definition);
    await helm('uninstall', 'kedge');
    expect(await contents(cluster)).toEqual(before);
    const { items } = await cluster.expect<{ readonly items: unknown[] }>(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles?labelSelector=app.kubernetes.io/name=kedge',
    );
    expect(items).toEqual([]);
    await helm('install', 'kedge', chart);
    expect(await contents(cluster)).toEqual(before);
    expect((await cluster.expect<Kept>(definition)).metadata.uid).toBe(metadata.uid);
  });

  it('says of a namespace that another Kedge of the cluster keeps its anchors in what is to be done', async () => {
    const other = await cluster.createNamespace('other');
    const copy = { metadata: { name: 'kedge-trust-bundle', labels: { [managedBy]: 'kedge-identity' } } };
    const path = `/api/v1/namespaces/${other}/configmaps`;
    await cluster.expect<object>(path, { method: 'POST', body: copy });
    const install = ['install', 'kedge', chart, `--namespace=${other}`];
    const { kubeconfig } = cluster;
    await expect(runHelm(install, { kubeconfig })).rejects.toThrow(/a cluster takes one Kedge.*delete it/);
    await cluster.expect<object>(`${path}/kedge-trust-bundle`, { method: 'DELETE' });
    expect(await runHelm([...install, '--dry-run=server'], { kubeconfig })).toContain('STATUS: pending');
  });

  it('lets nobody but identity near the keys', async () => {
    await cluster.createNamespace('shop');
    const accounts = accountsOf(await render());
    const own = accounts.filter((name) => name !== 'kedge-identity').map((name) => ({ namespace, name }));
    expect(own).toHaveLength(accounts.length - 1);
    const others = [...own, { namespace, name: 'default' }, { namespace: 'shop', name: 'default' }];
    for (const account of others) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) {
        for (const name of ['kedge-issuer', 'kedge-trust-anchor', undefined]) {
          const asked = { verb, resource: 'secrets', namespace, ...(name !== undefined && { name }) };
          expect([account, asked, await mayDo(cluster, account, asked)]).toEqual([account, asked, false]);
        }
      }
    }
    for (const account of own) {
      for (const verb of ['get', 'list', 'watch']) {
        const asked = { verb, resource: 'secrets' };
        expect([account, asked, await mayDo(cluster, account, asked)]).toEqual([account, asked, false]);
      }
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

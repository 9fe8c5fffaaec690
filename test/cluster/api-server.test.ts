import { eventually } from '../support/eventually.ts';
import type { ApiAnswer } from './api-caller.ts';
import { onKubernetes } from './on-kubernetes.ts';
import type { TestCluster } from './test-cluster.ts';

const audience = 'identity.l5d.io';

interface Reviewed {
  readonly status: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: {
      readonly username?: string;
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
    readonly error?: string;
  };
}

function review(cluster: TestCluster, token: string, audiences: readonly string[]): Promise<Reviewed> {
  return cluster.expect('/apis/authentication.k8s.io/v1/tokenreviews', {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } },
  });
}

function configMap(name: string, value: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
}

const configMaps = '/api/v1/namespaces/default/configmaps';

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

/** The path of a watch that would see one object, made after what it has seen and before the newest. */
async function watchFromBefore(cluster: TestCluster): Promise<string> {
  const post = (name: string): Promise<Versioned> =>
    cluster.expect(configMaps, { method: 'POST', body: configMap(name, 'one') });
  const { metadata } = await post('before');
  await post('after');
  // The newest revision of all is never compacted.
  await post('newest');
  const query = { watch: 'true', timeoutSeconds: '1', fieldSelector: 'metadata.name=after' };
  return `${configMaps}?${new URLSearchParams({ ...query, resourceVersion: metadata.resourceVersion }).toString()}`;
}

/** The code may come as the answer's own, or in an event of an answer that has begun. */
function codesOf({ status, body }: ApiAnswer): (number | undefined)[] {
  return [status, (body as { readonly object?: { readonly code?: number } }).object?.code];
}

onKubernetes('the API server of the tests', (cluster) => {
  it('says for which audience a token of a ServiceAccount is good, and of which pod', async () => {
    const namespace = await cluster.createNamespace('reviewed');
    await cluster.expect(`/api/v1/namespaces/${namespace}/pods`, {
      method: 'POST',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web' },
        spec: { containers: [{ name: 'web', image: 'web' }] },
      },
    });
    const token = await cluster.token({ namespace, name: 'default' }, { audience, pod: 'web' });
    const { status } = await review(cluster, token, [audience, 'another']);
    expect(status).toMatchObject({ authenticated: true, audiences: [audience] });
    expect(status.user).toMatchObject({
      username: 'system:serviceaccount:reviewed:default',
      extra: { 'authentication.kubernetes.io/pod-name': ['web'] },
    });
    expect((await review(cluster, token, ['another'])).status.authenticated).not.toBe(true);
  });

  it('knows what it was told on the same port after an end in order and after a crash', async () => {
    const { server } = cluster;
    await cluster.expect(configMaps, { method: 'POST', body: configMap('kept', 'one') });
    await cluster.stop();
    await expect(cluster.call('/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cluster.restart();
    await cluster.kill();
    await cluster.restart();
    expect(cluster.server).toBe(server);
    expect(await cluster.expect(`${configMaps}/kept`)).toMatchObject({ data: { value: 'one' } });
  });

  it('tells a watch from before a compaction that it is too late, once it has started anew', async () => {
    const since = await watchFromBefore(cluster);
    await cluster.compact();
    await cluster.restart();
    expect(codesOf(await cluster.call(since))).toContain(410);
  });

  it('writes down who asked for what', async () => {
    await cluster.createNamespace('audited');
    const kubeconfig = await cluster.kubeconfigAs({ namespace: 'audited', name: 'default' });
    const refused = cluster.kubectl([
      'get',
      'secret',
      'hidden',
      '-n',
      'audited',
      `--kubeconfig=${kubeconfig}`,
    ]);
    await expect(refused).rejects.toThrow(/forbidden/i);
    const written = await eventually(() => {
      const found = cluster.auditLog().find(({ objectRef }) => objectRef?.name === 'hidden');
      if (found === undefined) throw new Error('expected the request in the audit log');
      return found;
    });
    expect(written).toMatchObject({
      stage: 'ResponseComplete',
      verb: 'get',
      user: { username: 'system:serviceaccount:audited:default' },
      objectRef: { resource: 'secrets', namespace: 'audited', apiVersion: 'v1' },
      responseStatus: { code: 403 },
    });
  });

  it('gives a Service of both families an address of each, and a slice to its pods', async () => {
    const namespace = await cluster.createNamespace('both');
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { ipFamilyPolicy: 'RequireDualStack', selector: { app: 'web' }, ports: [{ port: 80 }] },
    };
    await cluster.kubectl(['create', '--filename=-'], { input: JSON.stringify(service) });
    const { spec } = await cluster.expect<{ readonly spec: { readonly clusterIPs: readonly string[] } }>(
      `/api/v1/namespaces/${namespace}/services/web`,
    );
    expect(spec.clusterIPs).toEqual([
      expect.stringMatching(/^10\.96\./),
      expect.stringMatching(/^fd00:10:96:/),
    ]);
    await eventually(async () => {
      const { items } = await cluster.expect<{ readonly items: readonly { readonly addressType: string }[] }>(
        `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      );
      expect(items.map(({ addressType }) => addressType).toSorted()).toEqual(['IPv4', 'IPv6']);
    });
  });
});

onKubernetes(
  'an API server that keeps no events itself',
  (cluster) => {
    it('tells a watch from before a compaction at once that it is too late', async () => {
      const since = await watchFromBefore(cluster);
      expect(await cluster.call(since)).toMatchObject({ status: 200, body: { type: 'ADDED' } });
      await cluster.compact();
      expect(codesOf(await cluster.call(since))).toContain(410);
    });
  },
  { apiServerArgs: ['--watch-cache=false'] },
);

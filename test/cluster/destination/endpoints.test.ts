import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { answerTests } from './answers/answer-tests.ts';
import { FollowedEndpoints } from './support/follow-endpoints.ts';
import { listedEndpoints } from './support/listed.ts';
import { address, create, each, placeOf, pod, run, service, slice } from './support/objects.ts';
import { rightTests } from './support/right-tests.ts';

const longest = 'a'.repeat(63);

async function replaceSlice(
  cluster: TestCluster,
  namespace: string,
  ...args: Parameters<typeof slice>
): Promise<void> {
  await cluster.expect(placeOf('EndpointSlice', namespace, args[0]), { method: 'PUT', body: slice(...args) });
}

/** What is followed becomes what the API server lists, and not merely for a moment. */
async function expectListed(
  cluster: TestCluster,
  namespace: string,
  followed: FollowedEndpoints,
): Promise<void> {
  await eventually(async () => {
    const listed = await listedEndpoints(cluster, namespace);
    expect(listed.size).toBeGreaterThan(0);
    for (const [path, expected] of listed) expect(followed.now(path)).toEqual(expected);
  });
}

onKubernetes('destination on a real API server', (cluster) => {
  let followed: FollowedEndpoints;

  beforeAll(async () => {
    followed = new FollowedEndpoints(await cluster.client());
    await followed.synced();
  });

  afterAll(() => followed[Symbol.dispose]());

  it('tells the pods that a Service selects, as its slices come and go', async () => {
    const namespace = await cluster.createNamespace('selected');
    await cluster.expect('/api/v1/nodes', { method: 'POST', body: { metadata: { name: 'node-a' } } });
    const ports = [
      { name: 'http', port: 80, targetPort: 'web' },
      { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, targetPort: 5354 },
    ];
    const both = { ipFamilyPolicy: 'PreferDualStack', selector: { app: 'web' }, ports };
    await create(cluster, 'Service', namespace, service('web', both));
    for (const [i, port] of [8080, 8081].entries()) {
      const containers = [{ name: 'app', image: 'app', ports: [{ name: 'web', containerPort: port }] }];
      const spec = { nodeName: 'node-a', containers };
      await create(cluster, 'Pod', namespace, pod(`web-${i}`, { labels: { app: 'web' }, spec }));
      await run(cluster, namespace, `web-${i}`, { ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] });
    }
    await eventually(() =>
      expect(followed.now(`web.${namespace}:80`)).toEqual(['10.1.0.1:8080', '10.1.0.2:8081']),
    );
    await eventually(() =>
      expect(followed.now(`web.${namespace}:53`)).toEqual(['10.1.0.1:5354', '10.1.0.2:5354']),
    );
    const { spec } = await cluster.expect<{ spec: { clusterIPs: string[] } }>(
      placeOf('Service', namespace, 'web'),
    );
    expect(spec.clusterIPs).toHaveLength(2);
    for (const ip of spec.clusterIPs) {
      const path = ip.includes(':') ? `[${ip}]:80` : `${ip}:80`;
      expect(followed.profile(path)).toMatchObject({
        kind: 'service',
        service: { name: 'web' },
        exists: true,
      });
    }
    expect(followed.profile('[fd00::1]:8080')).toMatchObject({
      endpoint: {
        identity: { dnsName: `default.${namespace}.serviceaccount.identity.kedge.cluster.local` },
        labels: { pod: 'web-0' },
      },
    });
    await cluster.expect(`${placeOf('Pod', namespace, 'web-0')}?gracePeriodSeconds=30`, { method: 'DELETE' });
    await eventually(() => expect(followed.now(`web.${namespace}:80`)).toEqual(['10.1.0.2:8081']));
    const gone = followed.endpoints(`web.${namespace}:80`);
    await cluster.expect(placeOf('Service', namespace, 'web'), { method: 'DELETE' });
    await gone.state.until((set) => set?.exists === false);
    gone.close();
  });

  it('takes names at their limits and a Service with 300 ports', async () => {
    const namespace = await cluster.createNamespace(longest);
    const podName = [longest, longest, longest, 'a'.repeat(61)].join('.');
    const ports = Array.from({ length: 300 }, (_, i) => ({ name: `p${i}`, port: 1000 + i }));
    await create(cluster, 'Service', namespace, service(longest, { ports }));
    await create(cluster, 'Pod', namespace, pod(podName));
    await each([0, 100, 200], 3, (from) =>
      create(
        cluster,
        'EndpointSlice',
        namespace,
        slice(
          `${longest}.${from}`,
          longest,
          [{ address: '10.2.0.1', pod: podName }],
          ports.slice(from, from + 100),
        ),
      ),
    );
    await expectListed(cluster, namespace, followed);
    expect(followed.now(`${longest}.${namespace}:1299`)).toEqual(['10.2.0.1:1299']);
  });

  it('follows a storm of slices and a killed API server, and has what is listed in the end, in each of two replicas', async () => {
    const namespace = await cluster.createNamespace('storm');
    using replica = new FollowedEndpoints(await cluster.client());
    await replica.synced();
    const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
    for (const name of names) {
      await create(cluster, 'Service', namespace, service(name));
      await create(cluster, 'EndpointSlice', namespace, slice(name, name, []));
    }
    const watches = names.map((name) => followed.endpoints(`${name}.${namespace}:80`));
    let told = 0;
    for (const { state } of watches) state.subscribe(() => (told += 1));
    const storm = (from: number) =>
      each([...Array(1_000).keys()], 16, async (i) => {
        const name = names[i % names.length]!;
        await replaceSlice(cluster, namespace, name, name, [{ address: address(from + i) }]).catch(
          () => undefined,
        );
      });
    await storm(1);
    await expectListed(cluster, namespace, followed);
    const stormy = storm(10_001);
    await cluster.kill();
    expect(followed.now(`s0.${namespace}:80`)).toHaveLength(1);
    await cluster.restart();
    await stormy;
    await storm(20_001);
    await expectListed(cluster, namespace, followed);
    await expectListed(cluster, namespace, replica);
    expect(told).toBeGreaterThan(names.length);
    for (const watch of watches) watch.close();
  }, 240_000);

  it('takes up external workloads when there is such a kind', async () => {
    const namespace = await cluster.createNamespace('outside');
    await create(cluster, 'Service', namespace, service('vm', { selector: { app: 'vm' } }));
    await cluster.expect('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      method: 'POST',
      body: kind,
    });
    const place = `/apis/workload.linkerd.io/v1beta1/namespaces/${namespace}/externalworkloads`;
    const body = {
      apiVersion: 'workload.linkerd.io/v1beta1',
      kind: 'ExternalWorkload',
      metadata: { name: 'vm', labels: { app: 'vm' } },
      spec: {
        meshTLS: { identity: 'spiffe://cluster.local/vm', serverName: 'vm.cluster.local' },
        workloadIPs: [{ ip: '192.0.2.7' }],
      },
    };
    await eventually(() => cluster.expect(place, { method: 'POST', body }));
    await cluster.expect(`${place}/vm`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    });
    const watched = followed.endpoints(`vm.${namespace}:80`);
    await watched.state.until((set) => set?.size === 1);
    expect(watched.state.value?.endpoints.get('192.0.2.7:8080')).toMatchObject({
      identity: { uri: 'spiffe://cluster.local/vm', serverName: 'vm.cluster.local' },
    });
    watched.close();
  });

  describe('without a right', () => rightTests(cluster));

  describe('what a proxy is told', () => answerTests(cluster));
});

/** As much of the kind as a test needs. */
const kind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'externalworkloads.workload.linkerd.io' },
  spec: {
    group: 'workload.linkerd.io',
    scope: 'Namespaced',
    names: { plural: 'externalworkloads', singular: 'externalworkload', kind: 'ExternalWorkload' },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

import { DeafWire } from '../../../faults/support/deaf-wire.ts';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { FollowedEndpoints } from './follow-endpoints.ts';
import { create, patch, placeOf, pod, run, service, slice } from './objects.ts';

const timeoutMs = 120_000;
const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const groupOf = {
  services: '',
  endpointslices: 'discovery.k8s.io',
  pods: '',
  nodes: '',
  namespaces: '',
  externalworkloads: 'workload.linkerd.io',
} as const;
const kinds = Object.keys(groupOf) as (keyof typeof groupOf)[];
const podIp = '10.210.0.1';

type Kind = (typeof kinds)[number];

/** Something that an object of a kind says, which is another number after each change. */
interface Saying {
  readonly change: (n: number) => Promise<void>;
  /** Whether that is what is known of it. */
  readonly known: (n: number) => boolean;
}

/** Destination whose rights to some kinds are taken away, and given back, over a connection of its own that can be cut. */
export function rightTests(cluster: TestCluster): void {
  const own = new AsyncDisposableStack();
  const namespace = 'rights';
  let wire: DeafWire;
  let followed: FollowedEndpoints;
  let token: string;
  let n = 0;

  const role = (without: readonly Kind[] = []) => ({
    metadata: { name: 'destination' },
    rules: kinds
      .filter((kind) => !without.includes(kind))
      .map((kind) => ({ apiGroups: [groupOf[kind]], resources: [kind], verbs: ['list', 'watch'] })),
  });
  const grant = (without: readonly Kind[] = []) =>
    cluster.expect(`${roles}/destination`, { method: 'PUT', body: role(without) });

  beforeAll(async () => {
    await cluster.createNamespace(namespace);
    await populate(cluster, namespace);
    await cluster.expect(roles, { method: 'POST', body: role() });
    await cluster.expect('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      method: 'POST',
      body: {
        metadata: { name: 'destination' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'destination' },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
      },
    });
    const { hostname: host, port } = new URL(cluster.server);
    wire = own.use(await new DeafWire({ host, port: Number(port) }).start());
    const server = `https://127.0.0.1:${wire.address.port}`;
    const account = { namespace, name: 'default' };
    token = await cluster.token(account);
    const kubeconfig = await cluster.kubeconfigAs(account, server);
    followed = own.use(new FollowedEndpoints(await cluster.client({ kubeconfig })));
    await followed.synced();
  });

  afterAll(() => own.disposeAsync());

  it.each<[readonly Kind[]]>([
    [['services', 'pods', 'namespaces']],
    [['endpointslices', 'nodes', 'externalworkloads']],
  ])(
    'goes on with what it knows when the rights to %j are taken away, follows the others, and catches up when they are given back',
    async (taken) => {
      const says = sayings(cluster, namespace, followed);
      const others = kinds.filter((kind) => !taken.includes(kind));
      /** Which of the kinds say that number. */
      const saying = (number: number) => kinds.filter((kind) => says[kind].known(number));
      const sayAll = async () => {
        n += 1;
        for (const kind of kinds) await says[kind].change(n);
      };
      await sayAll();
      await eventually(() => expect(saying(n)).toEqual(kinds));
      await grant(taken);
      for (const kind of taken) {
        await eventually(async () => expect((await cluster.call(pathOf(kind), { token })).status).toBe(403));
      }
      // A right is looked at when a watch begins.
      wire.cut();
      for (const kind of taken) {
        const { problem } = informerOf(followed, kind);
        await eventually(() => expect(problem.value).toContain(`cannot list resource "${kind}"`));
      }
      await sayAll();
      await eventually(() => expect(saying(n)).toEqual(others));
      expect(saying(n - 1)).toEqual(kinds.filter((kind) => taken.includes(kind)));
      await grant();
      await eventually(() => expect(saying(n)).toEqual(kinds));
      for (const kind of kinds) expect(informerOf(followed, kind).problem.value).toBeUndefined();
    },
    timeoutMs,
  );
}

/** Where the API server lists a kind. */
function pathOf(kind: Kind): string {
  if (kind === 'endpointslices') return `/apis/discovery.k8s.io/v1/${kind}`;
  return kind === 'externalworkloads' ? `/apis/workload.linkerd.io/v1beta1/${kind}` : `/api/v1/${kind}`;
}

function informerOf({ informers }: FollowedEndpoints, kind: Kind) {
  const found = Object.entries(informers).find(([name]) => name.toLowerCase() === kind);
  if (found === undefined) throw new TypeError(`expected ${kind} to be followed`);
  return found[1];
}

/** One object of each kind. */
async function populate(cluster: TestCluster, namespace: string): Promise<void> {
  await cluster.expect('/api/v1/nodes', { method: 'POST', body: { metadata: { name: 'ruled' } } });
  await create(cluster, 'Service', namespace, service('web'));
  await create(cluster, 'Service', namespace, service('sliced'));
  await create(cluster, 'EndpointSlice', namespace, slice('sliced', 'sliced', []));
  await create(cluster, 'Pod', namespace, pod('web', { spec: { nodeName: 'ruled' } }));
  await run(cluster, namespace, 'web', { ips: [podIp] });
  await cluster.expect(externalsOf(namespace), {
    method: 'POST',
    body: {
      apiVersion: 'workload.linkerd.io/v1beta1',
      kind: 'ExternalWorkload',
      metadata: { name: 'vm' },
      spec: {
        meshTLS: { identity: 'spiffe://cluster.local/vm', serverName: 'vm.cluster.local' },
        workloadIPs: [],
      },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    },
  });
}

function externalsOf(namespace: string): string {
  return `/apis/workload.linkerd.io/v1beta1/namespaces/${namespace}/externalworkloads`;
}

function sayings(
  cluster: TestCluster,
  namespace: string,
  followed: FollowedEndpoints,
): Readonly<Record<Kind, Saying>> {
  const changed = (path: string, body: object) => patch(cluster, path, body);
  const place = (kind: Parameters<typeof placeOf>[0], name = 'web') => placeOf(kind, namespace, name);
  const endpointAt = (path: string) => {
    const profile = followed.profile(path);
    return profile?.kind === 'endpoint' ? profile.endpoint : undefined;
  };
  return {
    services: {
      change: (n) => changed(place('Service'), { spec: { ports: [{ port: 1000 + n }] } }),
      known: (n) => {
        const profile = followed.profile(`web.${namespace}:${1000 + n}`);
        return profile?.kind === 'service' && profile.exists;
      },
    },
    endpointslices: {
      change: (n) =>
        changed(place('EndpointSlice', 'sliced'), { endpoints: [{ addresses: [`203.0.113.${n}`] }] }),
      known: (n) => followed.now(`sliced.${namespace}:80`)[0] === `203.0.113.${n}:8080`,
    },
    pods: {
      change: (n) => changed(place('Pod'), { metadata: { labels: { 'pod-template-hash': `${n}` } } }),
      known: (n) => endpointAt(`${podIp}:80`)?.labels['pod_template_hash'] === `${n}`,
    },
    nodes: {
      change: (n) =>
        changed('/api/v1/nodes/ruled', { metadata: { labels: { 'topology.kubernetes.io/zone': `z${n}` } } }),
      known: (n) => endpointAt(`${podIp}:80`)?.zone === `z${n}`,
    },
    namespaces: {
      change: (n) =>
        changed(`/api/v1/namespaces/${namespace}`, {
          metadata: { annotations: { 'config.kedge.io/skip-inbound-ports': `${n}` } },
        }),
      known: (n) => endpointAt(`${podIp}:${n}`)?.identity === undefined,
    },
    externalworkloads: {
      change: (n) =>
        changed(`${externalsOf(namespace)}/vm`, { spec: { workloadIPs: [{ ip: `198.51.100.${100 + n}` }] } }),
      known: (n) => endpointAt(`198.51.100.${100 + n}:80`)?.labels['external_workload'] === 'vm',
    },
  };
}

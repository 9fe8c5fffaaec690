import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { decisionsAt } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import type { Answers } from './neighbour.ts';
import { namespace, ports, probeObjects } from './objects.ts';

const minute = 60_000;

/** Default policies by whether a client without an identity is let in, from within the cluster. */
const open = ['all-unauthenticated', 'cluster-unauthenticated', 'audit'];
const shut = ['all-authenticated', 'cluster-authenticated', 'deny'];
const policies = [...open, ...shut];
const switchedOff = 'deny-without-probes';

/** Pods of every default policy, whose ports kubelet asks for, on a node where Kedge is installed. */
export function probeTests(cluster: TestCluster): void {
  beforeAll(async () => {
    await cluster.createNamespace(namespace);
    const pods = [
      ...policies.map((policy) => ({ name: policy, policy })),
      { name: switchedOff, policy: 'deny', probes: 'disabled' },
    ];
    const input = JSON.stringify(probeObjects(pods));
    await cluster.kubectl(['apply', '--filename=-'], { input });
    await ready(cluster, ['neighbour', ...policies]);
  }, 10 * minute);

  it.each(open)('are let in as everyone is under the policy %s', async (policy) => {
    for (const { allowed } of Object.values(await decisions(cluster, policy)))
      expect(Object.keys(allowed)).toEqual([policy]);
  });

  it.each(shut)('are let in as probes under the policy %s', async (policy) => {
    for (const { allowed } of Object.values(await decisions(cluster, policy)))
      expect(Object.keys(allowed)).toEqual(['probe']);
  });

  it.each(open)('leave a pod on the same node let in under the policy %s', async (policy) => {
    expect(await askFromNeighbour(cluster, policy)).toEqual({
      http: 'answered',
      tcp: 'answered',
      grpc: 'answered',
    });
  });

  it.each(shut)('leave a pod on the same node denied under the policy %s', async (policy) => {
    const before = await decisions(cluster, policy);
    const answers = await askFromNeighbour(cluster, policy);
    const after = await decisions(cluster, policy);

    expect(Object.values(answers)).not.toContain('answered');
    for (const [protocol, { allowed, denied }] of Object.entries(after)) {
      expect([protocol, denied]).toEqual([protocol, (before[protocol]?.denied ?? 0) + 1]);
      expect(Object.keys(allowed)).toEqual(['probe']);
    }
  });

  it('are denied like everyone under the policy deny when they are switched off, and that is seen in HTTP and gRPC', async () => {
    await eventually(async () => {
      for (const { allowed, denied } of Object.values(await decisions(cluster, switchedOff))) {
        expect(denied).toBeGreaterThan(2);
        expect(allowed).toEqual({});
      }
    });

    // The proxy takes a connection before it knows whether policy lets it in, and that is all that a tcp probe asks for.
    const expected = { 'linkerd-proxy': true, http: false, tcp: true, grpc: false };
    await eventually(async () => expect(await readiness(cluster, switchedOff)).toEqual(expected));
  });

  it('are let in by the running proxy as soon as they are switched on again', async () => {
    const annotation = 'config.kedge.io/probe-authorization-';
    await cluster.kubectl([`--namespace=${namespace}`, 'annotate', 'pod', switchedOff, annotation]);
    await ready(cluster, [switchedOff]);

    const { initContainerStatuses } = (await podOf(cluster, switchedOff)).status;
    expect(initContainerStatuses).toMatchObject([{ name: 'linkerd-proxy', restartCount: 0 }]);
  });
}

async function ready(cluster: TestCluster, names: readonly string[]): Promise<void> {
  const pods = names.map((name) => `pod/${name}`);
  await cluster.kubectl([
    `--namespace=${namespace}`,
    'wait',
    '--for=condition=Ready',
    '--timeout=180s',
    ...pods,
  ]);
}

/** What the proxy of a pod has decided, by the protocol that is probed. */
async function decisions(cluster: TestCluster, pod: string): Promise<Record<string, Decisions>> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:4191/proxy/metrics`;
  const metrics = await cluster.kubectl(['get', '--raw', path]);
  const each = Object.entries(ports).map(([protocol, port]) => [protocol, decisionsAt(port, metrics)]);
  return Object.fromEntries(each) as Record<string, Decisions>;
}

async function askFromNeighbour(cluster: TestCluster, name: string): Promise<Answers> {
  const { status } = await podOf(cluster, name);
  const command = ['exec', 'neighbour', '--', 'node', '/programs/neighbour.ts', status.podIP];
  const said = await cluster.kubectl([`--namespace=${namespace}`, ...command]);
  return JSON.parse(said) as Answers;
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
}

interface PodStatus {
  readonly podIP: string;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
}

function podOf(cluster: TestCluster, name: string): Promise<{ readonly status: PodStatus }> {
  return cluster.expect(`/api/v1/namespaces/${namespace}/pods/${name}`);
}

/** Whether each container of a pod is ready, the sidecar among them. */
async function readiness(cluster: TestCluster, name: string): Promise<Record<string, boolean>> {
  const { initContainerStatuses, containerStatuses } = (await podOf(cluster, name)).status;
  const all = [...initContainerStatuses, ...containerStatuses];
  return Object.fromEntries(all.map((container) => [container.name, container.ready]));
}

import {
  address,
  create,
  each,
  placeOf,
  service,
  slice,
} from '../../test/cluster/destination/support/objects.ts';
import type { TestCluster } from '../../test/cluster/test-cluster.ts';

export const serviceCount = 1_000;
export const podsEach = 10;

const namespace = 'crowd';

/** Fills the cluster: each service with a slice of its pods, each pod as a running one with the proxy looks. */
export async function populate(cluster: TestCluster, signal: AbortSignal): Promise<void> {
  await cluster.createNamespace(namespace);
  await each([...Array(serviceCount).keys()], 16, async (i) => {
    signal.throwIfAborted();
    const members = Array.from({ length: podsEach }, (_, k) => ({
      address: address(i * podsEach + k + 1),
      pod: `web-${i}-6d4b75cb6d-${k}`,
    }));
    await create(cluster, 'Service', namespace, service(`web-${i}`));
    await create(cluster, 'EndpointSlice', namespace, slice(`web-${i}`, `web-${i}`, members));
    for (const member of members) await createPod(cluster, i, member);
  });
}

async function createPod(
  cluster: TestCluster,
  i: number,
  member: { address: string; pod: string },
): Promise<void> {
  const body = meshedPod(`web-${i}`, member.pod);
  await create(cluster, 'Pod', namespace, body);
  const status = {
    phase: 'Running',
    podIP: member.address,
    podIPs: [{ ip: member.address }],
    hostIP: '192.0.2.1',
    hostIPs: [{ ip: '192.0.2.1' }],
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
    })),
  };
  await cluster.expect(`${placeOf('Pod', namespace, member.pod)}/status`, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: { status },
  });
}

function meshedPod(app: string, name: string) {
  const hash = { 'pod-template-hash': '6d4b75cb6d' };
  return {
    metadata: { name, labels: { app, ...hash, 'linkerd.io/control-plane-ns': 'kedge' } },
    spec: {
      nodeName: 'node-1',
      containers: [
        {
          name: 'app',
          image: 'registry.example/shop/web:1.2.3',
          ports: [{ name: 'http', containerPort: 8080 }],
        },
        {
          name: 'linkerd-proxy',
          image: 'registry.example/kedge:0.1.0',
          env: ['INBOUND', 'OUTBOUND', 'ADMIN'].map((side, i) => ({
            name: `LINKERD2_PROXY_${side}_LISTEN_ADDR`,
            value: `0.0.0.0:${[4143, 4140, 4191][i]}`,
          })),
        },
      ],
    },
  };
}

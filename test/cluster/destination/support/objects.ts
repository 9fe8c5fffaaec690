import type { TestCluster } from '../../test-cluster.ts';

const meshLabels = { 'linkerd.io/control-plane-ns': 'kedge' };

const kinds = {
  Service: { path: 'api/v1', plural: 'services' },
  Pod: { path: 'api/v1', plural: 'pods' },
  Endpoints: { path: 'api/v1', plural: 'endpoints' },
  ServiceAccount: { path: 'api/v1', plural: 'serviceaccounts' },
  EndpointSlice: { path: 'apis/discovery.k8s.io/v1', plural: 'endpointslices' },
  ExternalWorkload: { path: 'apis/workload.linkerd.io/v1beta1', plural: 'externalworkloads' },
  Server: { path: 'apis/policy.linkerd.io/v1beta3', plural: 'servers' },
} as const;

export type Kind = keyof typeof kinds;

interface Named {
  readonly metadata: { readonly name: string };
}

export function placeOf(kind: Kind, namespace: string, name?: string): string {
  const { path, plural } = kinds[kind];
  return `/${path}/namespaces/${namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
}

export async function create(
  cluster: TestCluster,
  kind: Kind,
  namespace: string,
  body: Named,
): Promise<Created> {
  return cluster.expect(placeOf(kind, namespace), { method: 'POST', body });
}

/** Changes a part of what is at a path: of an object, or of its `/status`. */
export async function patch(cluster: TestCluster, path: string, body: object): Promise<void> {
  await cluster.expect(path, { method: 'PATCH', contentType: 'application/merge-patch+json', body });
}

export interface PodStatus {
  readonly ips: readonly string[];
  /** So unless false. */
  readonly ready?: boolean;
  /** Of its node. */
  readonly hostIP?: string;
}

/** Has a pod run, as its kubelet would say. */
export async function run(
  cluster: TestCluster,
  namespace: string,
  name: string,
  { ips, ready = true, hostIP }: PodStatus,
): Promise<void> {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  const host = hostIP === undefined ? {} : { hostIP, hostIPs: [{ ip: hostIP }] };
  const podIPs = ips.map((ip) => ({ ip }));
  const status = { phase: 'Running', podIP: ips[0], podIPs, conditions, ...host };
  await patch(cluster, `${placeOf('Pod', namespace, name)}/status`, { status });
}

export interface Created {
  readonly metadata: { readonly name: string; readonly uid: string };
}

export interface PodParts {
  readonly labels?: object;
  readonly annotations?: object;
  readonly spec?: object;
}

/** A meshed pod of the account `default`, on no node unless told. */
export function pod(name: string, parts: PodParts = {}): Named {
  return {
    metadata: {
      name,
      labels: { ...meshLabels, ...parts.labels },
      annotations: parts.annotations,
    } as Named['metadata'],
    ...{
      spec: {
        containers: [
          { name: 'app', image: 'app' },
          { name: 'linkerd-proxy', image: 'proxy' },
        ],
        ...parts.spec,
      },
    },
  };
}

/** A slice by hand, of a Service without a selector, which no controller touches. */
export function slice(
  name: string,
  service: string,
  endpoints: readonly { readonly address: string; readonly pod?: string; readonly ending?: boolean }[],
  ports: readonly { readonly name: string; readonly port: number }[] = [{ name: '', port: 8080 }],
): Named {
  return {
    metadata: { name, labels: { 'kubernetes.io/service-name': service } } as Named['metadata'],
    ...{
      addressType: 'IPv4',
      ports: ports.map((port) => ({ ...port, protocol: 'TCP' })),
      endpoints: endpoints.map(({ address, pod: podName, ending = false }) => ({
        addresses: [address],
        conditions: { ready: !ending, serving: true, terminating: ending },
        ...(podName !== undefined && { targetRef: { kind: 'Pod', name: podName } }),
      })),
    },
  };
}

export function service(name: string, spec: object = {}): Named {
  return { metadata: { name }, ...{ spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec } } };
}

/** Runs the work of each item, so many at once. */
export async function each<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** An address of 10.0.0.0/8, another for each number. */
export function address(i: number): string {
  return `10.${(i >> 16) & 0xff}.${(i >> 8) & 0xff}.${i & 0xff}`;
}

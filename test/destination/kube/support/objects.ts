import type { EndpointSliceSource } from '../../../../src/destination/kube/endpoint-slice.ts';
import type { ExternalWorkloadSource } from '../../../../src/destination/kube/external-workload.ts';
import type { NodeSource } from '../../../../src/destination/kube/node.ts';
import type { PodSource } from '../../../../src/destination/kube/pod.ts';
import type { ServiceSource } from '../../../../src/destination/kube/service.ts';
import type { KubeObject, ObjectMeta } from '../../../../src/kube/kube-object.ts';

/** Builders of objects as the API server gives them, each of the namespace `shop` unless told another. */
type Meta = Partial<ObjectMeta>;

function metadata(name: string, meta: Meta = {}): ObjectMeta {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  return { name, namespace: 'shop', uid: `uid-of-${name}`, creationTimestamp, ...meta };
}

export const meshLabels = { 'linkerd.io/control-plane-ns': 'kedge' };

export const proxyContainer = {
  name: 'linkerd-proxy',
  env: [
    { name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value: '0.0.0.0:4143' },
    { name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR', value: '0.0.0.0:4191' },
  ],
};

export interface PodParts extends Meta {
  readonly ips: readonly string[];
  readonly spec?: NonNullable<PodSource['spec']>;
  readonly status?: NonNullable<PodSource['status']>;
  /** With a proxy and the label of the mesh; so unless false. */
  readonly meshed?: boolean;
}

export function pod(
  name: string,
  { ips, spec, status, meshed = true, labels, ...meta }: PodParts,
): PodSource {
  return {
    metadata: metadata(name, { ...meta, labels: { ...(meshed && meshLabels), ...labels } }),
    spec: {
      serviceAccountName: 'web',
      containers: [{ name: 'app' }, ...(meshed ? [proxyContainer] : [])],
      ...spec,
    },
    status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })), ...status },
  };
}

export function service(
  name: string,
  spec: NonNullable<ServiceSource['spec']>,
  meta: Meta = {},
): ServiceSource {
  return { metadata: metadata(name, meta), spec: { type: 'ClusterIP', ...spec } };
}

type SliceEndpoints = NonNullable<EndpointSliceSource['endpoints']>;

export interface SliceParts extends Meta {
  readonly ports?: EndpointSliceSource['ports'];
  readonly addressType?: string;
}

/** A slice of `service`; its port is 8080, without a name, unless given. */
export function slice(
  name: string,
  service: string,
  endpoints: SliceEndpoints,
  { ports = [{ name: '', port: 8080, protocol: 'TCP' }], addressType = 'IPv4', ...meta }: SliceParts = {},
): EndpointSliceSource {
  const labels = { 'kubernetes.io/service-name': service, ...meta.labels };
  return { metadata: metadata(name, { ...meta, labels }), addressType, ports, endpoints };
}

/** An endpoint of a slice that is a pod. */
export function at(
  address: string,
  podName?: string,
  more: Partial<SliceEndpoints[number]> = {},
): SliceEndpoints[number] {
  const targetRef = { kind: 'Pod', name: podName ?? '', uid: `uid-of-${podName ?? ''}` };
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    ...(podName !== undefined && { targetRef }),
    ...more,
  };
}

export function node(name: string, zone: string, ips: readonly string[] = []): NodeSource {
  return {
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    status: { addresses: ips.map((address) => ({ type: 'InternalIP', address })) },
  };
}

export function namespace(name: string, annotations: Record<string, string> = {}): KubeObject {
  return { metadata: { name, annotations } };
}

export function external(
  name: string,
  spec: Record<string, unknown>,
  { ready = true, ...meta }: Meta & { readonly ready?: boolean } = {},
): ExternalWorkloadSource {
  const status = { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
  return { metadata: metadata(name, meta), spec, status };
}

import type { Annotations } from '../../kube/annotations.ts';
import { annotationsOf } from '../../kube/annotations.ts';
import type { KubeObject, ObjectMeta } from '../../kube/kube-object.ts';
import type { ContainerSource, PodPort, ProxyPorts } from './containers.ts';
import { podPorts, probePorts, proxyPorts } from './containers.ts';
import type { SharedValues } from './shared-values.ts';

/** What destination keeps of a pod. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Annotations;
  readonly serviceAccount: string;
  readonly node: string | undefined;
  /** Whether it has the addresses of its node instead of its own. */
  readonly hostNetwork: boolean;
  /** Its containers have all ended, so that its addresses may be another's by now. */
  readonly ended: boolean;
  readonly ips: readonly string[];
  readonly hostIPs: readonly string[];
  readonly ports: readonly PodPort[];
  /** The ports that the kubelet's probes name, in order, each once. */
  readonly probePorts: readonly number[];
  /** `undefined` when it has no container of the proxy's name. */
  readonly proxy: ProxyPorts | undefined;
  readonly owner: Owner | undefined;
}

/** What made the pod, as its metrics are labelled: `{kind: 'deployment', name: 'web'}`. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
}

export interface PodSource extends KubeObject {
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
    readonly containers?: readonly ContainerSource[];
    readonly initContainers?: readonly ContainerSource[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
  };
}

export const TEMPLATE_HASH = 'pod-template-hash';

export function podProjection(shared: SharedValues): (source: PodSource) => Pod {
  return ({ metadata, spec = {}, status = {} }) => ({
    name: metadata.name,
    uid: metadata.uid ?? '',
    created: Date.parse(metadata.creationTimestamp ?? ''),
    ended: status.phase === 'Succeeded' || status.phase === 'Failed',
    ips: (status.podIPs ?? []).map(({ ip }) => ip),
    hostIPs: shared.share(hostIPs(status)),
    ...described(metadata, shared),
    ...specified(spec, shared),
  });
}

function described(metadata: ObjectMeta, shared: SharedValues) {
  return {
    namespace: shared.share(metadata.namespace ?? ''),
    labels: shared.share(metadata.labels ?? {}),
    annotations: shared.share(annotationsOf(metadata)),
    owner: shared.share(ownerOf(metadata)),
  };
}

function specified(spec: NonNullable<PodSource['spec']>, shared: SharedValues) {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  return {
    serviceAccount: shared.share(spec.serviceAccountName ?? 'default'),
    node: shared.share(spec.nodeName),
    hostNetwork: spec.hostNetwork ?? false,
    ports: shared.share(podPorts(containers)),
    probePorts: shared.share(probePorts(containers)),
    proxy: shared.share(proxyPorts(containers)),
  };
}

function hostIPs(status: NonNullable<PodSource['status']>): string[] {
  if (status.hostIPs !== undefined) return status.hostIPs.map(({ ip }) => ip);
  return status.hostIP === undefined ? [] : [status.hostIP];
}

/** A ReplicaSet of a Deployment is named after it and the hash of its template. */
function ownerOf({ ownerReferences = [], labels = {} }: ObjectMeta): Owner | undefined {
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  const hash = labels[TEMPLATE_HASH];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return { kind: 'deployment', name: owner.name.slice(0, -hash.length - 1) };
  }
  return { kind: owner.kind.toLowerCase(), name: owner.name };
}

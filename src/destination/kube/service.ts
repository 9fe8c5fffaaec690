import type { Annotations } from '../../kube/annotations.ts';
import { annotationsOf } from '../../kube/annotations.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { isTcp } from './containers.ts';
import type { SharedValues } from './shared-values.ts';

/** What destination keeps of a Service. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly annotations: Annotations;
  /** A name outside the cluster, and so nothing that has endpoints. */
  readonly external: boolean;
  /** None for a headless service. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  /** Only endpoints on the client's own node count. */
  readonly local: boolean;
  /** The family that a pod with both is told with. */
  readonly family: 4 | 6;
}

/** A TCP port of a Service. */
export interface ServicePort {
  /** What joins it with the ports of EndpointSlices; empty where there is but one. */
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly nodePort: number | undefined;
}

export interface ServiceSource extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIPs?: readonly string[];
    readonly ipFamilies?: readonly string[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly internalTrafficPolicy?: string;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
      readonly nodePort?: number;
      readonly protocol?: string;
    }[];
  };
}

const HEADLESS = 'None';

export function serviceProjection(shared: SharedValues): (source: ServiceSource) => Service {
  return ({ metadata, spec = {} }) => ({
    namespace: shared.share(metadata.namespace ?? ''),
    name: metadata.name,
    created: Date.parse(metadata.creationTimestamp ?? ''),
    annotations: shared.share(annotationsOf(metadata)),
    external: spec.type === 'ExternalName',
    clusterIPs: (spec.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== HEADLESS),
    ports: shared.share(readPorts(spec)),
    selector: shared.share(spec.selector ?? {}),
    local: spec.internalTrafficPolicy === 'Local',
    family: spec.ipFamilies?.[0] === 'IPv6' ? 6 : 4,
  });
}

function readPorts({ ports = [] }: NonNullable<ServiceSource['spec']>): ServicePort[] {
  return ports
    .filter(({ protocol }) => isTcp(protocol))
    .map(({ name = '', port, targetPort = port, nodePort }) => ({ name, port, targetPort, nodePort }));
}

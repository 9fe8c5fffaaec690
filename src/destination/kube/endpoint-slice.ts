import type { KubeObject } from '../../kube/kube-object.ts';
import { isTcp } from './containers.ts';
import type { SharedValues } from './shared-values.ts';

/** What destination keeps of an EndpointSlice: what can be connected to. */
export interface EndpointSlice {
  readonly namespace: string;
  readonly name: string;
  /** The Service it belongs to. */
  readonly service: string;
  /** Its TCP ports. */
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SlicePort {
  readonly name: string;
  readonly port: number;
}

export interface SliceEndpoint {
  readonly address: string;
  /** False for one that still serves while it ends, for want of which a client may have no other. */
  readonly ready: boolean;
  readonly hostname: string | undefined;
  readonly node: string | undefined;
  readonly zone: string | undefined;
  readonly target: SliceTarget | undefined;
  /** Where Kubernetes would have it used: for no place in particular when both are undefined. */
  readonly hints: Hints | undefined;
}

export interface SliceTarget {
  readonly kind: 'Pod' | 'ExternalWorkload';
  readonly name: string;
  readonly uid: string | undefined;
}

export interface Hints {
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

export interface EndpointSliceSource extends KubeObject {
  readonly addressType?: string;
  readonly ports?:
    readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[] | null;
  readonly endpoints?: readonly EndpointSource[] | null;
}

interface EndpointSource {
  readonly addresses: readonly string[];
  readonly conditions?: {
    readonly ready?: boolean;
    readonly serving?: boolean;
    readonly terminating?: boolean;
  };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
  readonly hints?: {
    readonly forZones?: readonly { readonly name: string }[];
    readonly forNodes?: readonly { readonly name: string }[];
  };
}

const SERVICE_LABEL = 'kubernetes.io/service-name';

/** `undefined` for a slice of names, or of no Service. */
export function endpointSliceProjection(
  shared: SharedValues,
): (source: EndpointSliceSource) => EndpointSlice | undefined {
  return ({ metadata, addressType, ports, endpoints }) => {
    const service = metadata.labels?.[SERVICE_LABEL];
    if (service === undefined || addressType === 'FQDN') return undefined;
    return {
      namespace: shared.share(metadata.namespace ?? ''),
      name: metadata.name,
      service,
      ports: shared.share(readPorts(ports ?? [])),
      endpoints: (endpoints ?? []).flatMap((endpoint) => readEndpoint(endpoint, shared)),
    };
  };
}

function readPorts(ports: NonNullable<EndpointSliceSource['ports']>): SlicePort[] {
  return ports.flatMap(({ name = '', port, protocol }) =>
    port !== undefined && isTcp(protocol) ? [{ name, port }] : [],
  );
}

/** An endpoint has one address: the API gives no meaning to further ones. */
function readEndpoint(source: EndpointSource, shared: SharedValues): SliceEndpoint[] {
  const { addresses, conditions, hostname, nodeName, zone } = source;
  const [address] = addresses;
  const ready = conditions?.ready !== false;
  const draining = conditions?.serving === true && conditions.terminating === true;
  if (address === undefined || !(ready || draining)) return [];
  return [
    {
      address,
      ready,
      hostname,
      node: shared.share(nodeName),
      zone: shared.share(zone),
      target: readTarget(source),
      hints: shared.share(readHints(source)),
    },
  ];
}

function readTarget({ targetRef }: EndpointSource): SliceTarget | undefined {
  const { kind, name, uid } = targetRef ?? {};
  if (name === undefined || (kind !== 'Pod' && kind !== 'ExternalWorkload')) return undefined;
  return { kind, name, uid };
}

function readHints({ hints }: EndpointSource): Hints | undefined {
  const zones = hints?.forZones?.map(({ name }) => name) ?? [];
  const nodes = hints?.forNodes?.map(({ name }) => name) ?? [];
  return zones.length + nodes.length === 0 ? undefined : { zones, nodes };
}

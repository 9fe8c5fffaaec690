import type { KubeObject } from '../../kube/kube-object.ts';

/** What destination keeps of a node. */
export interface Node {
  readonly zone: string | undefined;
  /** Its internal and external addresses. */
  readonly ips: readonly string[];
  /** The networks that its pods have their addresses from, where the cluster gives each node its own. */
  readonly podNetworks: readonly string[];
}

export interface NodeSource extends KubeObject {
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function projectNode({ metadata, spec, status }: NodeSource): Node {
  return {
    zone: metadata.labels?.[ZONE_LABEL],
    ips: (status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
      .map(({ address }) => address),
    podNetworks: spec?.podCIDRs ?? [],
  };
}

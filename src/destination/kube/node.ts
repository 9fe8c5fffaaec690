import type { KubeObject } from '../../kube/kube-object.ts';

/** What destination keeps of a node. */
export interface Node {
  readonly name: string;
  readonly zone: string | undefined;
  /** Its internal and external addresses. */
  readonly ips: readonly string[];
}

export interface NodeSource extends KubeObject {
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function projectNode({ metadata, status }: NodeSource): Node {
  return {
    name: metadata.name,
    zone: metadata.labels?.[ZONE_LABEL],
    ips: (status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
      .map(({ address }) => address),
  };
}

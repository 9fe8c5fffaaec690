import type { Annotations } from '../../../kube/annotations.ts';
import type { ExternalWorkload } from '../external-workload.ts';
import type { Pod } from '../pod.ts';
import type { Labels } from './label-selector.ts';

/** What policy looks at in a workload, whichever kind it is. */
export interface PolicyWorkload {
  readonly kind: 'pod' | 'external';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Annotations;
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[];
  /** Where and from where the kubelet probes; only pods have one. */
  readonly probed: Pick<Pod, 'probePorts' | 'hostIPs' | 'ips' | 'node'> | undefined;
}

export function podWorkload(pod: Pod): PolicyWorkload {
  const { namespace, name, labels, annotations, ports } = pod;
  return { kind: 'pod', namespace, name, labels, annotations, ports, probed: pod };
}

export function externalWorkload(source: ExternalWorkload): PolicyWorkload {
  const { namespace, name, labels, annotations, ports } = source;
  return { kind: 'external', namespace, name, labels, annotations, ports, probed: undefined };
}

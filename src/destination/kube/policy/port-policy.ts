import type { IpAddress } from '../../../runtime/ip-address.ts';
import type { IpNetwork } from '../../../runtime/ip-network.ts';
import type { PortPolicy } from '../../policy-source.ts';
import type { ServerPolicy } from '../../server-policy.ts';
import { allow, ANYONE, defaultServerPolicy } from '../../server-policy.ts';
import type { Topics } from '../lookup.ts';
import type { Namespace } from '../namespace.ts';
import type { PolicyObjects } from './policy-objects.ts';
import type { PolicyWorkload } from './policy-workload.ts';
import { probeSources } from './probe-sources.ts';
import { serverAuthorizations } from './server-authorizations.ts';
import type { FallbackDefaults } from './workload-defaults.ts';
import { probesAllowed, workloadDefaults } from './workload-defaults.ts';

export interface PolicyDefaults extends FallbackDefaults {
  readonly clusterNetworks: readonly IpNetwork[];
}

/**
 * What holds on one port: the rules of the Server that speaks for it, else the default of the workload (contract 5.5
 * and 5.6), and the probes of the workload's kubelet beside either. A workload of a namespace that is not known yet
 * is not known yet itself: the namespace may be what forbids.
 */
export function portPolicy(
  objects: PolicyObjects,
  defaults: PolicyDefaults,
  { key, port }: { readonly key: string; readonly port: number },
  topics: Topics,
): PortPolicy {
  const workload = objects.workload(key, topics);
  if (workload === undefined) return 'unknown_workload';
  const namespace = objects.cluster.namespaces.get(workload.namespace, topics);
  if (namespace === undefined) return 'unknown_workload';
  const policy =
    writtenPolicy(objects, defaults, workload, port, topics) ??
    unwrittenPolicy(workload, namespace, port, defaults);
  return probesAllowed(workload, namespace) ? withProbes(policy, objects, workload, port, topics) : policy;
}

function writtenPolicy(
  objects: PolicyObjects,
  { clusterNetworks }: PolicyDefaults,
  workload: PolicyWorkload,
  port: number,
  topics: Topics,
): ServerPolicy | undefined {
  const server = objects.servers.governing(workload, port, topics);
  if (server === undefined) return undefined;
  return {
    name: server.name,
    isDefault: false,
    protocol: server.protocol,
    authorizations: serverAuthorizations(server, objects, clusterNetworks, topics),
  };
}

function unwrittenPolicy(
  workload: PolicyWorkload,
  namespace: Namespace,
  port: number,
  defaults: PolicyDefaults,
): ServerPolicy {
  const { policy, opaque } = workloadDefaults(workload, namespace, port, defaults);
  return defaultServerPolicy(policy, opaque ? 'opaque' : 'detect', defaults.clusterNetworks);
}

/** The kubelet has no identity, and reaches the pod from its node: see docs/policy.md for whom else that lets in. */
function withProbes(
  policy: ServerPolicy,
  objects: PolicyObjects,
  { probed }: PolicyWorkload,
  port: number,
  topics: Topics,
): ServerPolicy {
  if (probed === undefined || !probed.probePorts.includes(port)) return policy;
  const node = probed.node === undefined ? undefined : objects.cluster.nodes.get(probed.node, topics);
  const isOfPod = (address: IpAddress) => objects.cluster.podsAt.find(address.toString(), topics).length > 0;
  const networks = allow(probeSources(probed, node, isOfPod));
  if (networks.length === 0) return policy;
  const probe = { kind: 'default', name: 'probe', networks, clients: ANYONE } as const;
  return { ...policy, authorizations: [...policy.authorizations, probe] };
}

import { PortSet } from '../../runtime/port-set.ts';
import { quoted } from '../../runtime/quoted.ts';
import type { IpNetwork } from '../../runtime/ip-network.ts';
import type { DefaultPolicyName, ServerPolicy } from '../server-policy.ts';
import { defaultServerPolicy } from '../server-policy.ts';
import type { DestinationDocument, ProxyEntry, WorkloadEntry } from './document.ts';
import type { FileWorkload } from './file-workload.ts';
import type { FieldPath } from './problems.ts';
import type { ReadContext } from './read-context.ts';
import { readAddress, readIdentity, readNetwork, splitName } from './read-context.ts';
import { checkReservedLabels, workloadLabels } from './endpoint-labels.ts';
import type { PolicyDefaults } from './read-policy.ts';
import { readPortPolicy } from './read-policy.ts';

/** The address blocks that clusters are usually made of, and what the cluster-* policies admit by default. */
const USUAL_CLUSTER_NETWORKS = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'];

/** The zone of each node. */
export function readZones(document: DestinationDocument): Map<string, string> {
  return new Map(Object.entries(document.nodes ?? {}).map(([name, { zone }]) => [name, zone]));
}

/** Reads the workloads. They are by `namespace/name`. */
export function readWorkloads(
  document: DestinationDocument,
  context: ReadContext,
): Map<string, FileWorkload> {
  const networks = document.clusterNetworks ?? USUAL_CLUSTER_NETWORKS;
  const clusterNetworks = networks.flatMap(
    (text, i) => readNetwork(text, ['clusterNetworks', i], context) ?? [],
  );
  const shared = {
    zones: readZones(document),
    clusterNetworks,
    policy: document.defaultPolicy ?? ('all-unauthenticated' as const),
  };
  return new Map(
    Object.entries(document.workloads ?? {}).map(([key, entry]) => [
      key,
      readWorkload(key, entry, ['workloads', key], shared, context),
    ]),
  );
}

interface Shared {
  readonly zones: ReadonlyMap<string, string>;
  readonly clusterNetworks: readonly IpNetwork[];
  readonly policy: DefaultPolicyName;
}

function readWorkload(
  key: string,
  entry: WorkloadEntry,
  path: FieldPath,
  shared: Shared,
  context: ReadContext,
): FileWorkload {
  const { namespace, name } = splitName(key);
  const addresses = entry.addresses.flatMap(
    (text, i) => readAddress(text, [...path, 'addresses', i], context) ?? [],
  );
  const identity = readWorkloadIdentity(namespace, entry, path, context);
  checkReservedLabels(entry.labels, [...path, 'labels'], context);
  const defaults = { policy: entry.policy ?? shared.policy, clusterNetworks: shared.clusterNetworks };
  const policies = readPolicies(name, entry, path, defaults, context);
  const otherwise = defaultServerPolicy(defaults.policy, 'detect', defaults.clusterNetworks);
  const { inboundPort, adminPort } = entry.proxy ?? {};
  return {
    namespace,
    name,
    addresses,
    identity,
    inboundPort,
    adminPort,
    skippedPorts: readSkippedPorts(entry.proxy, [...path, 'proxy', 'skipInboundPorts'], context),
    zone: readZone(entry, path, shared.zones, context),
    labels: workloadLabels(name, entry, identity, context.domain),
    protocolOf: (port) => policies.get(port)?.protocol ?? 'detect',
    listed: new Set([...policies.keys(), inboundPort, adminPort].filter((port) => port !== undefined)),
    policyAt: (port) => policies.get(port) ?? otherwise,
  };
}

/** A workload has an identity exactly when a proxy stands in front of it. The name is checked in any case. */
function readWorkloadIdentity(
  namespace: string,
  entry: WorkloadEntry,
  path: FieldPath,
  context: ReadContext,
) {
  const at = entry.serviceAccount === undefined ? path : [...path, 'serviceAccount'];
  const identity = readIdentity(namespace, entry.serviceAccount ?? 'default', at, context);
  return entry.proxy === undefined ? undefined : identity;
}

function readPolicies(
  name: string,
  entry: WorkloadEntry,
  path: FieldPath,
  defaults: PolicyDefaults,
  context: ReadContext,
): Map<number, ServerPolicy> {
  const policies = new Map<number, ServerPolicy>();
  for (const [key, portEntry] of Object.entries(entry.ports ?? {})) {
    const at = [...path, 'ports', key];
    policies.set(Number(key), readPortPolicy(portEntry, `${name}-${key}`, at, defaults, context));
    if (
      portEntry.protocol === 'opaque' &&
      entry.proxy !== undefined &&
      entry.proxy.inboundPort === undefined
    ) {
      context.problems.add(
        [...at, 'protocol'],
        'expected proxy.inboundPort beside it: mesh TLS sent to an opaque port itself would reach the application',
      );
    }
  }
  return policies;
}

function readSkippedPorts(proxy: ProxyEntry | undefined, path: FieldPath, { problems }: ReadContext) {
  const items = (proxy?.skipInboundPorts ?? []).map(String);
  for (const [i, item] of items.entries()) {
    if (PortSet.parse(item) !== undefined) continue;
    problems.add(
      [...path, i],
      `expected a port from 1 to 65535 or a range like 8000-8010, got ${quoted(item)}`,
    );
  }
  return PortSet.parse(items.join(',')) ?? new Set<number>();
}

function readZone(
  entry: WorkloadEntry,
  path: FieldPath,
  zones: ReadonlyMap<string, string>,
  { problems }: ReadContext,
): string | undefined {
  if (entry.node === undefined) return entry.zone;
  if (entry.zone !== undefined) problems.add([...path, 'zone'], 'expected either node or zone, got both');
  const zone = zones.get(entry.node);
  if (zone === undefined) problems.add([...path, 'node'], `expected one of nodes, got ${quoted(entry.node)}`);
  return zone;
}

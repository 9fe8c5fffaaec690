import type { MeshDomain, WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { AddressEndpointEntry, WorkloadEntry } from './document.ts';
import type { FieldPath } from './problems.ts';
import type { ReadContext } from './read-context.ts';
import { splitName } from './read-context.ts';

/** Labels that destination gives by itself (contract 4.5); one of the file would hide what is true. */
const RESERVED = new Set([
  'pod',
  'namespace',
  'service',
  'serviceaccount',
  'control_plane_ns',
  'zone',
  'zone_locality',
]);

export function checkReservedLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
  { problems }: ReadContext,
): void {
  for (const name of Object.keys(labels ?? {})) {
    if (RESERVED.has(name))
      problems.add([...path, name], 'expected another label: this one is set by itself', 'key');
  }
}

/** The labels of an endpoint that is a workload. */
export function workloadLabels(
  name: string,
  entry: WorkloadEntry,
  identity: WorkloadIdentity | undefined,
  domain: MeshDomain,
): Record<string, string> {
  const serviceaccount = entry.serviceAccount ?? 'default';
  return { ...entry.labels, pod: name, serviceaccount, ...meshLabels(identity, domain) };
}

/** The labels of an endpoint that is only an address. */
export function addressLabels(
  entry: AddressEndpointEntry,
  identity: WorkloadIdentity | undefined,
  domain: MeshDomain,
): Record<string, string> {
  const account =
    entry.serviceAccount === undefined ? {} : { serviceaccount: splitName(entry.serviceAccount).name };
  return { ...entry.labels, ...account, ...meshLabels(identity, domain) };
}

function meshLabels(identity: WorkloadIdentity | undefined, domain: MeshDomain): Record<string, string> {
  return identity === undefined ? {} : { control_plane_ns: domain.controlNamespace };
}

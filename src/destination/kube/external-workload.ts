import type { Annotations } from '../../kube/annotations.ts';
import { annotationsOf } from '../../kube/annotations.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { isDnsName } from '../../runtime/dns-names.ts';
import type { UriIdentity } from '../endpoint.ts';
import type { Fields } from './fields.ts';
import { fieldsOf, isAbsent } from './fields.ts';

/** What destination keeps of an ExternalWorkload: a machine outside the cluster that is part of the mesh. */
export interface ExternalWorkload {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Annotations;
  readonly ready: boolean;
  readonly ips: readonly string[];
  readonly ports: readonly ExternalPort[];
  /** Undefined where it cannot be read: one without it is nobody's to reach, for every definition requires it. */
  readonly identity: UriIdentity | undefined;
}

export interface ExternalPort {
  readonly name: string | undefined;
  readonly port: number;
}

/** Its schema is another's, so nothing is taken for given. */
export interface ExternalWorkloadSource extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Never throws: a workload that is not known would be reached without its identity. */
export function projectExternalWorkload({
  metadata,
  spec,
  status,
}: ExternalWorkloadSource): ExternalWorkload {
  const { workloadIPs, ports, meshTLS, meshTls } = fieldsOf(spec);
  const conditions = each(fieldsOf(status)['conditions']);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    created: Date.parse(metadata.creationTimestamp ?? ''),
    labels: metadata.labels ?? {},
    annotations: annotationsOf(metadata),
    ready: conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True'),
    ips: each(workloadIPs).flatMap(({ ip }) => (typeof ip === 'string' ? [ip] : [])),
    ports: each(ports).flatMap(readPort),
    // v1alpha1 spelled it otherwise, and reading in another version changes no field.
    identity: readIdentity(isAbsent(meshTLS) ? meshTls : meshTLS),
  };
}

function each(list: unknown): Fields[] {
  return Array.isArray(list) ? list.map(fieldsOf) : [];
}

function readPort({ name, port, protocol }: Fields): ExternalPort[] {
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
  if (!isPort || (protocol ?? 'TCP') !== 'TCP') return [];
  return [{ name: typeof name === 'string' ? name : undefined, port }];
}

/** A URI with the server name to ask for; with anything less a proxy would drop the identity (gotcha 35). */
function readIdentity(meshTLS: unknown): UriIdentity | undefined {
  const { identity, serverName } = fieldsOf(meshTLS);
  if (typeof identity !== 'string' || typeof serverName !== 'string') return undefined;
  return URL.canParse(identity) && isDnsName(serverName) ? { uri: identity, serverName } : undefined;
}

import type { KubeObject } from '../../../kube/kube-object.ts';
import type { DefaultPolicyName } from '../../server-policy.ts';
import { DEFAULT_POLICY_NAMES } from '../../server-policy.ts';
import type { PortProtocol } from '../../workload.ts';
import type { Fields } from '../fields.ts';
import { isAbsent, shown, specOf } from '../fields.ts';
import type { Labels, LabelSelector } from './label-selector.ts';
import { readSelector, selects } from './label-selector.ts';
import type { PolicyWorkload } from './policy-workload.ts';

/** What is kept of a Server. */
export interface ServerRules {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since 1970: the oldest of the Servers for a port is the one that counts. */
  readonly created: number;
  readonly labels: Labels;
  /** Whom it is for; undefined: no pods, no external workloads. */
  readonly pods: LabelSelector | undefined;
  readonly externalWorkloads: LabelSelector | undefined;
  /** A number, or the name of a port of the workload; undefined: no port at all. */
  readonly port: number | string | undefined;
  readonly protocol: PortProtocol;
  readonly accessPolicy: DefaultPolicyName;
  /** What could not be read. With any, nobody is let in at its port: what it was to forbid is not known. */
  readonly problems: readonly string[];
}

const PROTOCOLS: ReadonlyMap<unknown, PortProtocol> = new Map([
  ['unknown', 'detect'],
  ['HTTP/1', 'http1'],
  ['HTTP/2', 'http2'],
  ['gRPC', 'grpc'],
  ['opaque', 'opaque'],
  ['TLS', 'tls'],
]);

/** A Server of any served version, by any schema. Never throws. */
export function projectServer(source: KubeObject): ServerRules {
  const { metadata } = source;
  const problems: string[] = [];
  const fields = specOf(source);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    created: createdAt(metadata.creationTimestamp),
    labels: metadata.labels ?? {},
    ...readSelectors(fields, problems),
    port: readPort(fields['port'], problems),
    protocol: readProtocol(fields['proxyProtocol'], problems),
    accessPolicy: readAccessPolicy(fields['accessPolicy'], problems),
    problems,
  };
}

/** Whether the Server speaks for this port of the workload. */
export function governs(server: ServerRules, workload: PolicyWorkload, port: number): boolean {
  const selector = workload.kind === 'pod' ? server.pods : server.externalWorkloads;
  return selector !== undefined && hasPort(server, workload, port) && selects(selector, workload.labels);
}

function hasPort(server: ServerRules, { namespace, ports }: PolicyWorkload, port: number): boolean {
  if (server.namespace !== namespace) return false;
  return typeof server.port === 'string'
    ? ports.some((each) => each.name === server.port && each.port === port)
    : server.port === port;
}

/** A date that cannot be read is taken for the oldest, as such a Server must not fall behind a laxer one. */
function createdAt(text: string | undefined): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? 0 : time;
}

function readSelectors(
  { podSelector, externalWorkloadSelector }: Fields,
  problems: string[],
): Pick<ServerRules, 'pods' | 'externalWorkloads'> {
  if (isAbsent(podSelector) === isAbsent(externalWorkloadSelector)) {
    problems.push('expected either a podSelector or an externalWorkloadSelector');
  }
  if (isAbsent(podSelector) && isAbsent(externalWorkloadSelector)) return { pods: [], externalWorkloads: [] };
  const read = (value: unknown) => (isAbsent(value) ? undefined : readSelector(value, problems));
  return { pods: read(podSelector), externalWorkloads: read(externalWorkloadSelector) };
}

/** A number that no port can have, or a name that none has, is about no port; digits in quotes are a number. */
function readPort(value: unknown, problems: string[]): number | string | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port === 'string' && port !== '') return port;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  problems.push(`expected a port by number or by name, got ${shown(value)}`);
  return undefined;
}

function readProtocol(value: unknown, problems: string[]): PortProtocol {
  const protocol = PROTOCOLS.get(isAbsent(value) ? 'unknown' : value);
  if (protocol !== undefined) return protocol;
  problems.push(`expected a proxyProtocol, got ${shown(value)}`);
  return 'detect';
}

function readAccessPolicy(value: unknown, problems: string[]): DefaultPolicyName {
  if (isAbsent(value)) return 'deny';
  const policy = DEFAULT_POLICY_NAMES.find((name) => name === value);
  if (policy !== undefined) return policy;
  problems.push(`expected an accessPolicy (${DEFAULT_POLICY_NAMES.join(', ')}), got ${shown(value)}`);
  return 'deny';
}

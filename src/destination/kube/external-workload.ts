import type { Annotations } from '../../kube/annotations.ts';
import { annotationsOf } from '../../kube/annotations.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { isDnsName } from '../../runtime/dns-names.ts';
import type { UriIdentity } from '../endpoint.ts';

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
  /** `malformed` where something is said that is no identity; `undefined` where nothing is. */
  readonly identity: UriIdentity | 'malformed' | undefined;
}

export interface ExternalPort {
  readonly name: string | undefined;
  readonly port: number;
}

/** Its schema is another's, so nothing is taken for given. */
export interface ExternalWorkloadSource extends KubeObject {
  readonly spec?: {
    readonly meshTLS?: { readonly identity?: unknown; readonly serverName?: unknown };
    readonly ports?: readonly {
      readonly name?: unknown;
      readonly port?: unknown;
      readonly protocol?: string;
    }[];
    readonly workloadIPs?: readonly { readonly ip?: unknown }[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

export function projectExternalWorkload({
  metadata,
  spec,
  status,
}: ExternalWorkloadSource): ExternalWorkload {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    created: Date.parse(metadata.creationTimestamp ?? ''),
    labels: metadata.labels ?? {},
    annotations: annotationsOf(metadata),
    ready: (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True'),
    ips: (spec?.workloadIPs ?? []).flatMap(({ ip }) => (typeof ip === 'string' ? [ip] : [])),
    ports: readPorts(spec),
    identity: readIdentity(spec),
  };
}

function readPorts(spec: ExternalWorkloadSource['spec']): ExternalPort[] {
  return (spec?.ports ?? []).flatMap(({ name, port, protocol = 'TCP' }) =>
    typeof port === 'number' && protocol === 'TCP'
      ? [{ name: typeof name === 'string' ? name : undefined, port }]
      : [],
  );
}

/** A URI with the server name to ask for; with anything less a proxy would drop the identity (gotcha 35). */
function readIdentity(spec: ExternalWorkloadSource['spec']): ExternalWorkload['identity'] {
  if (spec?.meshTLS === undefined) return undefined;
  const { identity, serverName } = spec.meshTLS;
  if (typeof identity !== 'string' || typeof serverName !== 'string') return 'malformed';
  return URL.canParse(identity) && isDnsName(serverName) ? { uri: identity, serverName } : 'malformed';
}

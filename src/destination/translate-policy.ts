import type {
  Authn,
  Authz,
  HttpRoute,
  Metadata,
  Network,
  ProxyProtocol,
  Server,
} from '../rpc/inbound-policy-api.ts';
import type { AllowedClients, AllowedNetwork, Authorization, ServerPolicy } from './server-policy.ts';
import { toIPNetwork } from '../rpc/ip-message.ts';
import type { PortProtocol } from './workload.ts';
import type { WorkloadName } from './workload-name.ts';

/** How long a proxy looks for a known protocol in the first bytes (contract 5.5). */
const detectTimeout = { seconds: 10n, nanos: 0 };

/** Rules are told under the API group that dashboards and tools of either data plane look for (contract 5.6). */
const GROUP = 'policy.linkerd.io';

/**
 * A policy as a proxy is told of it. A single flaw makes a proxy deny everything (contract 5.2, gotcha 43), so what
 * it insists on is always here: group, kind and name, a network in each rule, who is permitted, a detect timeout.
 */
export function toServer(policy: ServerPolicy, workload: WorkloadName): Server {
  const meta = policy.isDefault
    ? defaultMeta(policy.name)
    : resourceMeta('server', policy.name, workload.namespace);
  return {
    protocol: toProxyProtocol(policy.protocol),
    serverIps: [],
    authorizations: policy.authorizations.map((authorization) => toAuthz(authorization, workload)),
    labels: meta.labels,
  };
}

interface Meta {
  readonly labels: Record<string, string>;
  readonly metadata: Metadata;
}

function defaultMeta(name: string): Meta {
  return {
    labels: { group: '', kind: 'default', name },
    metadata: { kind: { $case: 'default', value: name } },
  };
}

function resourceMeta(kind: string, name: string, namespace: string): Meta {
  const resource = { group: GROUP, kind, name, namespace, section: '', port: 0 };
  return { labels: { group: GROUP, kind, name }, metadata: { kind: { $case: 'resource', value: resource } } };
}

function toProxyProtocol(protocol: PortProtocol): ProxyProtocol {
  const routes: HttpRoute[] = [];
  switch (protocol) {
    case 'detect':
      return { kind: { $case: 'detect', value: { timeout: detectTimeout, httpRoutes: routes } } };
    case 'opaque':
      return { kind: { $case: 'opaque', value: {} } };
    case 'tls':
      return { kind: { $case: 'tls', value: {} } };
    case 'http1':
      return { kind: { $case: 'http1', value: { routes } } };
    case 'http2':
      return { kind: { $case: 'http2', value: { routes } } };
    case 'grpc':
      return { kind: { $case: 'grpc', value: { routes: [] } } };
  }
}

function toAuthz(authorization: Authorization, workload: WorkloadName): Authz {
  const { kind, name } = authorization;
  const meta = kind === 'default' ? defaultMeta(name) : resourceMeta(kind, name, workload.namespace);
  return {
    networks: authorization.networks.map(toNetwork),
    authentication: toAuthn(authorization.clients),
    labels: meta.labels,
    metadata: meta.metadata,
  };
}

function toAuthn(clients: AllowedClients): Authn {
  if (clients.kind === 'unauthenticated') return { permit: { $case: 'unauthenticated', value: {} } };
  if (clients.kind === 'tls') return meshTls({ $case: 'unauthenticated', value: {} });
  const identities = clients.identities.map((name) => ({ name }));
  const suffixes = clients.suffixes.map((parts) => ({ parts: [...parts] }));
  return meshTls({ $case: 'identities', value: { identities, suffixes } });
}

/** Whom mesh TLS lets in. */
type MeshClients = NonNullable<Extract<Authn['permit'], { $case: 'meshTLS' }>['value']['clients']>;

function meshTls(clients: MeshClients): Authn {
  return { permit: { $case: 'meshTLS', value: { clients } } };
}

function toNetwork(allowed: AllowedNetwork): Network {
  return { net: toIPNetwork(allowed.network), except: allowed.except.map(toIPNetwork) };
}

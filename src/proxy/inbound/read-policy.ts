import type { Authn, Authz, Network, Server } from '../../rpc/inbound-policy-api.ts';
import { durationMs } from '../../rpc/duration.ts';
import { fromIPNetwork } from '../../rpc/ip-message.ts';
import type { IpNetwork } from '../../runtime/ip-network.ts';
import { localhostAuthorization } from './server-policy.ts';
import type {
  AllowedClients,
  AllowedNetwork,
  Authorization,
  PolicyLabels,
  PortProtocol,
  ServerPolicy,
} from './server-policy.ts';

/**
 * Reads an answer of the policy service by the rules of contract 5.2. One flaw makes the whole answer unusable: it is
 * thrown as a TypeError that names the flaw, and the caller must then let nobody in.
 */
export function readPolicy(server: Server): ServerPolicy {
  return {
    protocol: readProtocol(server),
    labels: readLabels(server.labels, 'server'),
    authorizations: [...server.authorizations.map(readAuthorization), localhostAuthorization],
  };
}

function readProtocol({ protocol }: Server): PortProtocol {
  const kind = required(protocol?.kind, 'a protocol');
  const { value } = kind;
  if (kind.$case === 'detect') required(durationMs(kind.value.timeout), 'a timeout for detection');
  const routes = 'routes' in value ? value.routes : 'httpRoutes' in value ? value.httpRoutes : [];
  for (const { metadata } of routes) required(metadata, 'metadata of each route');
  return kind.$case;
}

/** Without a kind, the name says it: `default:x`, `kind:x`, or the name of a `server`. */
function readLabels(labels: Readonly<Record<string, string>>, fallbackKind: string): PolicyLabels {
  const { group = '', kind = '' } = labels;
  const name = required(labels['name'], 'a label "name"');
  if (kind !== '') return { group, kind, name };
  const colon = name.indexOf(':');
  return colon < 0
    ? { group, kind: fallbackKind, name }
    : { group, kind: name.slice(0, colon), name: name.slice(colon + 1) };
}

function readAuthorization(authorization: Authz): Authorization {
  if (authorization.networks.length === 0)
    throw new TypeError('expected a network in each authorization, got none');
  return {
    labels: readAuthorizationLabels(authorization),
    networks: authorization.networks.map(readNetwork),
    clients: readClients(required(authorization.authentication, 'an authentication')),
  };
}

function readAuthorizationLabels({ metadata, labels }: Authz): PolicyLabels {
  if (metadata === undefined) return readLabels(labels, 'serverauthorization');
  const kind = required(metadata.kind, 'a kind of metadata');
  if (kind.$case === 'default') return { group: '', kind: 'default', name: kind.value };
  const { group, kind: resourceKind, name } = kind.value;
  return { group, kind: resourceKind, name };
}

function readNetwork({ net, except }: Network): AllowedNetwork {
  return { network: readIpNetwork(net), except: except.map(readIpNetwork) };
}

function readIpNetwork(net: Network['net']): IpNetwork {
  const message = required(net?.ip?.ip && net, 'an address of a network');
  return required(fromIPNetwork(message), 'a prefix length that fits the address');
}

function readClients({ permit }: Authn): AllowedClients {
  const how = required(permit, 'who is permitted');
  if (how.$case === 'unauthenticated') return { kind: 'anyone' };
  const clients = required(how.value.clients, 'which mesh clients are permitted');
  if (clients.$case === 'unauthenticated') return { kind: 'meshed' };
  const { identities, suffixes } = clients.value;
  return {
    kind: 'identities',
    identities: new Set(identities.map(({ name }) => name)),
    suffixes: suffixes.map(({ parts }) => parts.map((part) => `.${part}`).join('')),
  };
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`expected ${what}, got none`);
  return value;
}

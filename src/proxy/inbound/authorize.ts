import { isDnsName } from '../../runtime/dns-names.ts';
import type { AllowedClients, AllowedNetwork, Authorization, ServerPolicy } from './server-policy.ts';

/** What is known of a client when policy is asked about it. */
export interface Client {
  /** Its IP address. */
  readonly ip: string;
  /** Undefined unless mesh TLS ended here; without an id where it showed no certificate, or one without a name. */
  readonly mesh: { readonly id: string | undefined } | undefined;
}

/** The first authorization that lets the client in, if any does (contract 5.2). */
export function authorize({ authorizations }: ServerPolicy, client: Client): Authorization | undefined {
  return authorizations.find(
    ({ networks, clients }) => networks.some((one) => holds(one, client.ip)) && permits(clients, client.mesh),
  );
}

function holds({ network, except }: AllowedNetwork, ip: string): boolean {
  return network.contains(ip) && !except.some((hole) => hole.contains(ip));
}

function permits(clients: AllowedClients, mesh: Client['mesh']): boolean {
  switch (clients.kind) {
    case 'anyone':
      return true;
    case 'meshed':
      return mesh !== undefined;
    case 'identities':
      return mesh?.id !== undefined && isAmong(clients, mesh.id);
  }
}

/** Endings never fit a URI, not even the empty one. */
function isAmong(clients: AllowedClients & { kind: 'identities' }, id: string): boolean {
  return (
    clients.identities.has(id) || (isDnsName(id) && clients.suffixes.some((suffix) => id.endsWith(suffix)))
  );
}

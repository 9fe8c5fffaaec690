import type { IpNetwork } from '../../runtime/ip-network.ts';
import { defaultLabels, localhostAuthorization, networks } from './server-policy.ts';
import type { AllowedClients, AllowedNetwork, Authorization, ServerPolicy } from './server-policy.ts';

/** Names of the policies that need no answer of the policy service (contract 5.5). */
export type DefaultPolicyName =
  | 'all-unauthenticated'
  | 'all-authenticated'
  | 'cluster-unauthenticated'
  | 'cluster-authenticated'
  | 'deny'
  | 'audit';

export interface DefaultPolicyOptions {
  readonly name: DefaultPolicyName;
  /** What `cluster-...` lets in. */
  readonly clusterNetworks: readonly IpNetwork[];
  readonly opaque: boolean;
}

/** What holds on a port for which the policy service has not answered. */
export function defaultPolicy({ name, clusterNetworks, opaque }: DefaultPolicyOptions): ServerPolicy {
  return {
    protocol: opaque ? 'opaque' : 'detect',
    labels: defaultLabels(name),
    authorizations: [...authorizations(name, clusterNetworks), localhostAuthorization],
  };
}

const anyone: AllowedClients = { kind: 'anyone' };
const anyIdentity: AllowedClients = { kind: 'identities', identities: new Set(), suffixes: [''] };

function authorizations(name: DefaultPolicyName, clusterNetworks: readonly IpNetwork[]): Authorization[] {
  const one = (allowed: readonly AllowedNetwork[], clients: AllowedClients): Authorization[] => [
    { labels: defaultLabels(name), networks: allowed, clients },
  ];
  const everywhere = networks('0.0.0.0/0', '::/0');
  const cluster = clusterNetworks.map((network) => ({ network, except: [] }));
  switch (name) {
    case 'all-unauthenticated':
    case 'audit':
      return one(everywhere, anyone);
    case 'all-authenticated':
      return one(everywhere, anyIdentity);
    case 'cluster-unauthenticated':
      return one(cluster, anyone);
    case 'cluster-authenticated':
      return one(cluster, anyIdentity);
    case 'deny':
      return [];
  }
}

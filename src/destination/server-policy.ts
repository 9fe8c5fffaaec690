import { IpNetwork } from '../runtime/ip-network.ts';
import type { PortProtocol } from './workload.ts';

/** Policies with a name of their own (contract 5.5). */
export const DEFAULT_POLICY_NAMES = [
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
  'deny',
  'audit',
] as const;

export type DefaultPolicyName = (typeof DEFAULT_POLICY_NAMES)[number];

export interface AllowedNetwork {
  readonly network: IpNetwork;
  readonly except: readonly IpNetwork[];
}

/** Who may connect: anyone at all, or mesh clients by exact name or by the ending of their name. */
export type AllowedClients =
  | { readonly kind: 'unauthenticated' }
  | {
      readonly kind: 'meshed';
      readonly identities: readonly string[];
      /** Each the labels of an ending; no labels at all is any mesh identity (contract 5.2). */
      readonly suffixes: readonly (readonly string[])[];
    };

/** A rule that lets connections in. The first that holds for a connection wins. */
export interface Authorization {
  readonly name: string;
  /** At least one: without any, a proxy takes the whole answer for invalid. */
  readonly networks: readonly AllowedNetwork[];
  readonly clients: AllowedClients;
}

/** What holds on one port of one workload. */
export interface ServerPolicy {
  readonly name: string;
  /** Whether it is one of the named defaults rather than rules written for this port. */
  readonly isDefault: boolean;
  readonly protocol: PortProtocol;
  readonly authorizations: readonly Authorization[];
}

export const ANY_MESHED: AllowedClients = { kind: 'meshed', identities: [], suffixes: [[]] };

/** The policy of that name (contract 5.5). `deny` has no rule at all: only the proxy's own host gets in. */
export function defaultServerPolicy(
  name: DefaultPolicyName,
  protocol: PortProtocol,
  clusterNetworks: readonly IpNetwork[],
): ServerPolicy {
  return { name, isDefault: true, protocol, authorizations: defaultAuthorizations(name, clusterNetworks) };
}

function defaultAuthorizations(name: DefaultPolicyName, cluster: readonly IpNetwork[]): Authorization[] {
  const anyone: AllowedClients = { kind: 'unauthenticated' };
  switch (name) {
    case 'all-unauthenticated':
    case 'audit':
      return [{ name, networks: allow(IpNetwork.everywhere()), clients: anyone }];
    case 'all-authenticated':
      return [{ name, networks: allow(IpNetwork.everywhere()), clients: ANY_MESHED }];
    case 'cluster-unauthenticated':
      return [{ name, networks: allow(cluster), clients: anyone }];
    case 'cluster-authenticated':
      return [{ name, networks: allow(cluster), clients: ANY_MESHED }];
    case 'deny':
      return [];
  }
}

function allow(networks: readonly IpNetwork[]): AllowedNetwork[] {
  return networks.map((network) => ({ network, except: [] }));
}

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

/** Who may connect: anyone at all, anyone with mesh TLS, or mesh clients by exact name or by the ending of their name. */
export type AllowedClients =
  | { readonly kind: 'unauthenticated' }
  | { readonly kind: 'tls' }
  | {
      readonly kind: 'meshed';
      readonly identities: readonly string[];
      /** Each the labels of an ending; no labels at all is any mesh identity (contract 5.2). */
      readonly suffixes: readonly (readonly string[])[];
    };

/** What wrote an authorization: a default of ours, or an object of that kind. */
export type AuthorizationKind = 'default' | 'authorizationpolicy' | 'serverauthorization';

/** A rule that lets connections in. The first that holds for a connection wins. */
export interface Authorization {
  readonly kind: AuthorizationKind;
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

export const ANYONE: AllowedClients = { kind: 'unauthenticated' };

export const ANY_MESHED: AllowedClients = { kind: 'meshed', identities: [], suffixes: [[]] };

/** The policy of that name (contract 5.5). `deny` has no rule at all: only the proxy's own host gets in. */
export function defaultServerPolicy(
  name: DefaultPolicyName,
  protocol: PortProtocol,
  clusterNetworks: readonly IpNetwork[],
): ServerPolicy {
  return { name, isDefault: true, protocol, authorizations: defaultAuthorizations(name, clusterNetworks) };
}

/** Whom the policy of that name lets in: one rule, or none. */
export function defaultAuthorizations(
  name: DefaultPolicyName,
  clusterNetworks: readonly IpNetwork[],
): Authorization[] {
  const rule = (networks: readonly IpNetwork[], clients: AllowedClients): Authorization[] =>
    networks.length === 0 ? [] : [{ kind: 'default', name, networks: allow(networks), clients }];
  switch (name) {
    case 'all-unauthenticated':
    case 'audit':
      return rule(IpNetwork.everywhere(), ANYONE);
    case 'all-authenticated':
      return rule(IpNetwork.everywhere(), ANY_MESHED);
    case 'cluster-unauthenticated':
      return rule(clusterNetworks, ANYONE);
    case 'cluster-authenticated':
      return rule(clusterNetworks, ANY_MESHED);
    case 'deny':
      return [];
  }
}

/** Networks of which nothing is left out. */
export function allow(networks: readonly IpNetwork[]): AllowedNetwork[] {
  return networks.map((network) => ({ network, except: [] }));
}

import { IpNetwork } from '../../../runtime/ip-network.ts';
import type { AllowedNetwork, Authorization } from '../../server-policy.ts';
import { allow, ANYONE, defaultAuthorizations } from '../../server-policy.ts';
import type { Topics } from '../lookup.ts';
import type { AuthorizationRules } from './authorization-rules.ts';
import { selects } from './label-selector.ts';
import type { PolicyObjects } from './policy-objects.ts';
import type { ServerAuthorizationRules } from './server-authorization-rules.ts';
import type { ServerRules } from './server-rules.ts';

/**
 * Whom a Server lets in: those that its authorizations name, and those of its access policy. Each only adds to the
 * others, so that one that is missing, or cannot be read, lets nobody in and takes nothing from the rest. HTTP rules of a
 * Server are to narrow what requests may be, which cannot be done with connections: then nobody is let in.
 */
export function serverAuthorizations(
  server: ServerRules,
  objects: PolicyObjects,
  clusterNetworks: readonly IpNetwork[],
  topics: Topics,
): Authorization[] {
  if (server.problems.length > 0 || objects.hasRoutes(server, topics)) return [];
  const policies = objects.authorizationPolicies(server, topics);
  const authorizations = objects.serverAuthorizations(server, topics);
  return [
    ...policies.flatMap((rules) => ofPolicy(rules, objects, topics) ?? []),
    ...authorizations
      .filter((rules) => isFor(rules, server))
      .flatMap((rules) => ofAuthorization(rules, clusterNetworks) ?? []),
    ...defaultAuthorizations(server.accessPolicy, clusterNetworks),
  ];
}

/** Nothing where a part could not be read or an object that it refers to is missing. */
function ofPolicy(
  rules: AuthorizationRules,
  objects: PolicyObjects,
  topics: Topics,
): Authorization | undefined {
  if (rules.problems.length > 0) return undefined;
  const networks =
    rules.networks === undefined
      ? allow(IpNetwork.everywhere())
      : objects.networkAuthentications.get(rules.networks, topics)?.networks;
  const clients =
    rules.clients?.kind === 'reference'
      ? objects.meshAuthentications.get(rules.clients.key, topics)?.clients
      : (rules.clients ?? ANYONE);
  return complete({ kind: 'authorizationpolicy', name: rules.name }, networks, clients);
}

function ofAuthorization(
  { name, networks, clients }: ServerAuthorizationRules,
  clusterNetworks: readonly IpNetwork[],
): Authorization | undefined {
  const from = networks === 'cluster' ? allow(clusterNetworks) : networks;
  return complete({ kind: 'serverauthorization', name }, from, clients);
}

/** One without any network would make a proxy take the whole answer for invalid (contract 5.2). */
function complete(
  what: Pick<Authorization, 'kind' | 'name'>,
  networks: readonly AllowedNetwork[] | undefined,
  clients: Authorization['clients'] | undefined,
): Authorization | undefined {
  if (networks === undefined || networks.length === 0 || clients === undefined) return undefined;
  return { ...what, networks, clients };
}

function isFor({ server: target }: ServerAuthorizationRules, server: ServerRules): boolean {
  if (target === undefined) return false;
  return 'name' in target ? target.name === server.name : selects(target.selector, server.labels);
}

import type { Authz, Server } from '../../../../../src/rpc/inbound-policy-api.ts';
import { durationMs } from '../../../../../src/rpc/duration.ts';

/** What a proxy would take the whole answer for invalid by (contract 5.2); nothing for a good one. */
export function policyFlaws({ protocol, labels, authorizations }: Server): string[] {
  const kind = protocol?.kind;
  const flaws = authorizations.flatMap(authorizationFlaws);
  if (kind === undefined) flaws.push('no protocol');
  if (kind?.$case === 'detect' && durationMs(kind.value.timeout) === undefined) flaws.push('no timeout');
  if (['name', 'kind', 'group'].some((name) => labels[name] === undefined) || labels['name'] === '') {
    flaws.push('labels that lack a part');
  }
  return flaws;
}

function authorizationFlaws({ networks, authentication, metadata, labels }: Authz): string[] {
  const flaws: string[] = [];
  const permit = authentication?.permit;
  if (networks.length === 0) flaws.push('an authorization without networks');
  for (const { net, except } of networks) {
    if (![net, ...except].every((each) => each?.ip?.ip !== undefined)) flaws.push('a network of no address');
  }
  if (permit === undefined) flaws.push('an authorization that permits nothing');
  if (permit?.$case === 'meshTLS' && permit.value.clients === undefined)
    flaws.push('mesh TLS for no clients');
  if (metadata?.kind === undefined || labels['name'] === undefined)
    flaws.push('an authorization without a name');
  return flaws;
}

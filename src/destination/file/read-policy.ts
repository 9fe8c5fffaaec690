import { quoted } from '../../runtime/quoted.ts';
import { isDnsName } from '../../runtime/dns-names.ts';
import { IpNetwork } from '../../runtime/ip-network.ts';
import type {
  AllowedClients,
  AllowedNetwork,
  Authorization,
  DefaultPolicyName,
  ServerPolicy,
} from '../server-policy.ts';
import { defaultServerPolicy } from '../server-policy.ts';
import type { AuthorizationEntry, NetworkEntry, PortEntry } from './document.ts';
import type { FieldPath } from './problems.ts';
import type { ReadContext } from './read-context.ts';
import { readIdentity, readNetwork, splitName } from './read-context.ts';

export interface PolicyDefaults {
  /** The policy of the workload. */
  readonly policy: DefaultPolicyName;
  readonly clusterNetworks: readonly IpNetwork[];
}

/** The policy of one port of the workload `name`. */
export function readPortPolicy(
  entry: PortEntry,
  name: string,
  path: FieldPath,
  defaults: PolicyDefaults,
  context: ReadContext,
): ServerPolicy {
  const protocol = entry.protocol ?? 'detect';
  if (entry.authorizations === undefined) {
    return defaultServerPolicy(entry.policy ?? defaults.policy, protocol, defaults.clusterNetworks);
  }
  if (entry.policy !== undefined) {
    context.problems.add([...path, 'policy'], 'expected either policy or authorizations, got both');
  }
  const at = [...path, 'authorizations'];
  refuseSameNames(entry.authorizations, at, context);
  const authorizations = entry.authorizations.map((rule, i) => readAuthorization(rule, [...at, i], context));
  return { name, isDefault: false, protocol, authorizations };
}

function refuseSameNames(
  rules: readonly AuthorizationEntry[],
  path: FieldPath,
  { problems }: ReadContext,
): void {
  const seen = new Set<string>();
  for (const [i, { name }] of rules.entries()) {
    if (seen.has(name))
      problems.add([...path, i, 'name'], `expected a name of its own, got ${quoted(name)} again`);
    seen.add(name);
  }
}

function readAuthorization(rule: AuthorizationEntry, path: FieldPath, context: ReadContext): Authorization {
  return {
    kind: 'authorizationpolicy',
    name: rule.name,
    networks: readNetworks(rule.networks, [...path, 'networks'], context),
    clients: readClients(rule, path, context),
  };
}

function readNetworks(
  entries: readonly (string | NetworkEntry)[] | undefined,
  path: FieldPath,
  context: ReadContext,
): AllowedNetwork[] {
  if (entries === undefined) return IpNetwork.everywhere().map((network) => ({ network, except: [] }));
  return entries.flatMap((entry, i) => {
    const at = [...path, i];
    if (typeof entry === 'string') {
      const network = readNetwork(entry, at, context);
      return network === undefined ? [] : [{ network, except: [] }];
    }
    const network = readNetwork(entry.cidr, [...at, 'cidr'], context);
    if (network === undefined) return [];
    return [{ network, except: readExcept(entry, network, [...at, 'except'], context) }];
  });
}

function readExcept(
  entry: NetworkEntry,
  network: IpNetwork,
  path: FieldPath,
  context: ReadContext,
): IpNetwork[] {
  return (entry.except ?? []).flatMap((text, i) => {
    const except = readNetwork(text, [...path, i], context);
    if (except === undefined) return [];
    if (!network.covers(except)) {
      context.problems.add(
        [...path, i],
        `expected a network inside ${network.toString()}, got ${quoted(text)}`,
      );
    }
    return [except];
  });
}

function readClients(rule: AuthorizationEntry, path: FieldPath, context: ReadContext): AllowedClients {
  const { identities = [], serviceAccounts = [] } = rule;
  if (rule.unauthenticated === true) {
    if (identities.length + serviceAccounts.length > 0) {
      const message = 'expected no identities beside it: unauthenticated admits everyone in the networks';
      context.problems.add([...path, 'unauthenticated'], message);
    }
    return { kind: 'unauthenticated' };
  }
  const names = [
    ...identities.map((name, i) => checkedIdentity(name, [...path, 'identities', i], context)),
    ...serviceAccounts.map((name, i) => accountIdentity(name, [...path, 'serviceAccounts', i], context)),
  ];
  return {
    kind: 'meshed',
    identities: names.filter((name) => !name.startsWith('*')),
    suffixes: names.filter((name) => name.startsWith('*')).map(suffixParts),
  };
}

/** `*.a.b` admits what ends in `.a.b`, and `*` alone every mesh identity: no parts at all (contract 5.2). */
function suffixParts(pattern: string): string[] {
  return pattern.split('.').slice(1);
}

function checkedIdentity(name: string, path: FieldPath, { problems }: ReadContext): string {
  const literal = name.startsWith('*.') ? name.slice(2) : name;
  if (name !== '*' && !isDnsName(literal)) problems.add(path, `expected a DNS name, got ${quoted(name)}`);
  return name;
}

/** A ServiceAccount of this mesh as identity; `namespace/*` as the ending that all of a namespace share. */
function accountIdentity(text: string, path: FieldPath, context: ReadContext): string {
  const { namespace, name } = splitName(text);
  if (name !== '*') return readIdentity(namespace, name, path, context)?.dnsName ?? '';
  const any = readIdentity(namespace, 'any', path, context)?.dnsName ?? '';
  return `*${any.slice('any'.length)}`;
}

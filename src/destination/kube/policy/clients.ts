import type { MeshDomain } from '../../../pki/workload-identity.ts';
import { errorMessage } from '../../../runtime/errors.ts';
import { isDnsName } from '../../../runtime/dns-names.ts';
import type { AllowedClients } from '../../server-policy.ts';
import { fieldsOf, isAbsent, shown } from '../fields.ts';

/** Mesh clients: those of these names, and those whose names have one of these endings. */
export type MeshClients = Extract<AllowedClients, { kind: 'meshed' }>;

/**
 * An identity as policies write it: `*` for all of the mesh, `*.a.b` for what ends in `.a.b`, else one name. A star
 * anywhere else is a letter like any other, which no name has, so that this is told and lets nobody in.
 */
export function readIdentities(value: unknown, problems: string[]): MeshClients {
  const texts = readList(value, 'identities', problems).filter((each): each is string => {
    const good = typeof each === 'string' && isIdentity(each);
    if (!good) problems.push(`expected an identity, *.ending or *, got ${shown(each)}`);
    return good;
  });
  return {
    kind: 'meshed',
    identities: texts.filter((text) => !text.startsWith('*')),
    suffixes: texts.filter((text) => text.startsWith('*')).map((text) => text.split('.').slice(1)),
  };
}

/** Everything that is in one of them. */
export function joined(all: readonly MeshClients[]): MeshClients {
  return {
    kind: 'meshed',
    identities: all.flatMap(({ identities }) => identities),
    suffixes: all.flatMap(({ suffixes }) => suffixes),
  };
}

/** One ServiceAccount. A name that Kubernetes would not give is told, and lets nobody in. */
export function serviceAccount(
  domain: MeshDomain,
  namespace: unknown,
  name: unknown,
  problems: string[],
): MeshClients {
  const identity = identityOf(domain, namespace, name, problems);
  return { kind: 'meshed', identities: identity === undefined ? [] : [identity], suffixes: [] };
}

/** Every ServiceAccount of a namespace. */
export function namespaceAccounts(domain: MeshDomain, namespace: unknown, problems: string[]): MeshClients {
  const any = identityOf(domain, namespace, 'any', problems);
  return { kind: 'meshed', identities: [], suffixes: any === undefined ? [] : [any.split('.').slice(1)] };
}

/** A list that may be left out. */
export function readList(value: unknown, what: string, problems: string[]): readonly unknown[] {
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) return value;
  problems.push(`expected ${what} to be a list, got ${shown(value)}`);
  return [];
}

/** A reference of an authorization: `kind` and `group` in small letters, as they are compared. */
export interface Reference {
  readonly group: string;
  readonly kind: string;
  readonly name: unknown;
  readonly namespace: unknown;
}

/** The parts of a reference. The core group may be written `core`, and kinds in any case. */
export function readReference(value: unknown): Reference {
  const { group, kind, name, namespace } = fieldsOf(value);
  const lower = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : '');
  return {
    group: lower(group) === 'core' ? '' : lower(group),
    kind: lower(kind),
    name: name ?? undefined,
    namespace: namespace ?? undefined,
  };
}

function identityOf(
  domain: MeshDomain,
  namespace: unknown,
  name: unknown,
  problems: string[],
): string | undefined {
  if (typeof namespace !== 'string' || typeof name !== 'string') {
    problems.push(
      `expected a ServiceAccount by namespace and name, got ${shown(namespace)} and ${shown(name)}`,
    );
    return undefined;
  }
  try {
    return domain.identity(namespace, name).dnsName;
  } catch (error) {
    problems.push(errorMessage(error));
    return undefined;
  }
}

/** A name, or a URI where a workload outside the cluster has one. */
function isIdentity(text: string): boolean {
  if (text === '*' || isDnsName(text.startsWith('*.') ? text.slice(2) : text)) return true;
  return text.startsWith('spiffe://') && URL.canParse(text);
}

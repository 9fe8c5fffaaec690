import type { KubeObject } from '../../../kube/kube-object.ts';
import type { MeshDomain } from '../../../pki/workload-identity.ts';
import type { MeshClients, Reference } from './clients.ts';
import { readReference, serviceAccount } from './clients.ts';
import { shown, specOf } from '../fields.ts';

/** What is kept of an AuthorizationPolicy. */
export interface AuthorizationRules {
  readonly namespace: string;
  readonly name: string;
  /** What it is for; undefined: nothing that Kedge can hold it to, so it lets nobody in. */
  readonly target:
    { readonly kind: 'server'; readonly name: string } | { readonly kind: 'namespace' } | undefined;
  /** Who: clients that are known at once, or a MeshTLSAuthentication by its key; undefined: anyone. */
  readonly clients: MeshClients | { readonly kind: 'reference'; readonly key: string } | undefined;
  /** From where: a NetworkAuthentication by its key; undefined: from anywhere. */
  readonly networks: string | undefined;
  /** What could not be read. With any, it lets nobody in. */
  readonly problems: readonly string[];
}

const POLICY_GROUP = 'policy.linkerd.io';

/** Reads an AuthorizationPolicy of any schema. The projection never throws. */
export function authorizationProjection(domain: MeshDomain): (source: KubeObject) => AuthorizationRules {
  return (source) => {
    const { namespace = '', name } = source.metadata;
    const { targetRef, requiredAuthenticationRefs } = specOf(source);
    const problems: string[] = [];
    return {
      namespace,
      name,
      target: readTarget(targetRef, namespace, problems),
      ...readRequirements(requiredAuthenticationRefs, { namespace, domain, problems }),
      problems,
    };
  };
}

interface Context {
  readonly namespace: string;
  readonly domain: MeshDomain;
  readonly problems: string[];
}

function readTarget(value: unknown, own: string, problems: string[]): AuthorizationRules['target'] {
  const { group, kind, name, namespace = own } = readReference(value);
  if (namespace === own && typeof name === 'string' && name !== '') {
    if (group === POLICY_GROUP && kind === 'server') return { kind: 'server', name };
    if (group === '' && kind === 'namespace' && name === own) return { kind: 'namespace' };
  }
  problems.push(`expected a Server of this namespace or this namespace as the target, got ${shown(value)}`);
  return undefined;
}

/** The list must be there: one that was lost must not let everyone in, as an empty one does. */
function readRequirements(
  value: unknown,
  context: Context,
): Pick<AuthorizationRules, 'clients' | 'networks'> {
  const { problems } = context;
  if (!Array.isArray(value))
    problems.push(`expected requiredAuthenticationRefs as a list, got ${shown(value)}`);
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  const clients: NonNullable<AuthorizationRules['clients']>[] = [];
  const networks: string[] = [];
  for (const each of all) {
    const reference = readReference(each);
    const key = keyOf(reference, context.namespace);
    if (reference.group === POLICY_GROUP && reference.kind === 'networkauthentication' && key !== undefined) {
      networks.push(key);
      continue;
    }
    const who = readWho(reference, key, context);
    if (who === undefined) problems.push(`expected a reference to an authentication, got ${shown(each)}`);
    else clients.push(who);
  }
  if (clients.length > 1 || networks.length > 1) {
    problems.push('expected at most one reference that says who and one that says from where, got more');
  }
  return { clients: clients[0], networks: networks[0] };
}

function readWho(
  { group, kind, name, namespace }: Reference,
  key: string | undefined,
  context: Context,
): AuthorizationRules['clients'] {
  if (group === POLICY_GROUP && kind === 'meshtlsauthentication' && key !== undefined) {
    return { kind: 'reference', key };
  }
  if (group !== '' || kind !== 'serviceaccount') return undefined;
  return serviceAccount(context.domain, namespace ?? context.namespace, name, context.problems);
}

function keyOf({ name, namespace }: Reference, own: string): string | undefined {
  const place = namespace ?? own;
  return typeof name === 'string' && typeof place === 'string' ? `${place}/${name}` : undefined;
}

import type { KubeObject } from '../../../kube/kube-object.ts';
import type { MeshDomain } from '../../../pki/workload-identity.ts';
import type { AllowedClients, AllowedNetwork } from '../../server-policy.ts';
import { ANYONE } from '../../server-policy.ts';
import { joined, readIdentities, readList, serviceAccount } from './clients.ts';
import { fieldsOf, isAbsent, shown, specOf } from '../fields.ts';
import type { LabelSelector } from './label-selector.ts';
import { readSelector } from './label-selector.ts';
import { readNetworks } from './networks.ts';

/** What is kept of a ServerAuthorization. */
export interface ServerAuthorizationRules {
  readonly namespace: string;
  readonly name: string;
  /** Which Servers; undefined where that cannot be told, so that it is for none. */
  readonly server: { readonly name: string } | { readonly selector: LabelSelector } | undefined;
  /** `cluster`: none were given, which means those of the cluster. */
  readonly networks: readonly AllowedNetwork[] | 'cluster';
  /** Undefined: nobody. */
  readonly clients: AllowedClients | undefined;
  /** What could not be read, and lets nobody in. */
  readonly problems: readonly string[];
}

/** Reads a ServerAuthorization of any served version, by any schema. The projection never throws. */
export function serverAuthorizationProjection(
  domain: MeshDomain,
): (source: KubeObject) => ServerAuthorizationRules {
  return (source) => {
    const { namespace = '', name } = source.metadata;
    const { server, client } = specOf(source);
    const { networks, unauthenticated, meshTLS } = fieldsOf(client);
    const problems: string[] = [];
    const noNetworks = isAbsent(networks) || (Array.isArray(networks) && networks.length === 0);
    return {
      namespace,
      name,
      server: readServer(server, problems),
      networks: noNetworks ? 'cluster' : readNetworks(networks, problems),
      clients: readClients({ unauthenticated, meshTLS, namespace }, domain, problems),
      problems,
    };
  };
}

function readServer(value: unknown, problems: string[]): ServerAuthorizationRules['server'] {
  const { name, selector } = fieldsOf(value);
  if (isAbsent(selector) && typeof name === 'string' && name !== '') return { name };
  if (isAbsent(name) && !isAbsent(selector)) {
    const unread: string[] = [];
    const read = readSelector(selector, unread);
    problems.push(...unread);
    return unread.length > 0 ? undefined : { selector: read };
  }
  problems.push(`expected the name of a Server or a selector of Servers, got ${shown(value)}`);
  return undefined;
}

interface ClientFields {
  readonly unauthenticated: unknown;
  readonly meshTLS: unknown;
  readonly namespace: string;
}

function readClients(
  { unauthenticated, meshTLS, namespace }: ClientFields,
  domain: MeshDomain,
  problems: string[],
): AllowedClients | undefined {
  if (unauthenticated === true && isAbsent(meshTLS)) return ANYONE;
  const { unauthenticatedTLS, identities, serviceAccounts } = fieldsOf(meshTLS);
  const lists = [identities, serviceAccounts].filter((list) => !isAbsent(list));
  const readable = isAbsent(unauthenticated) || unauthenticated === false;
  if (readable && unauthenticatedTLS === true && lists.length === 0) return { kind: 'tls' };
  if (!readable || lists.length === 0 || !(isAbsent(unauthenticatedTLS) || unauthenticatedTLS === false)) {
    problems.push(
      'expected either unauthenticated: true, or meshTLS with unauthenticatedTLS: true or with names',
    );
    return undefined;
  }
  const accounts = readList(serviceAccounts, 'serviceAccounts', problems).map((each) => {
    const { name, namespace: place } = fieldsOf(each);
    return serviceAccount(domain, place ?? namespace, name, problems);
  });
  return joined([readIdentities(identities, problems), ...accounts]);
}

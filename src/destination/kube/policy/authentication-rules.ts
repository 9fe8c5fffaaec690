import type { KubeObject } from '../../../kube/kube-object.ts';
import type { MeshDomain } from '../../../pki/workload-identity.ts';
import type { AllowedNetwork } from '../../server-policy.ts';
import type { MeshClients } from './clients.ts';
import {
  joined,
  namespaceAccounts,
  readIdentities,
  readList,
  readReference,
  serviceAccount,
} from './clients.ts';
import { shown, specOf } from '../fields.ts';
import { readNetworks } from './networks.ts';

/** What is kept of a MeshTLSAuthentication. What of it could not be read lets nobody in. */
export interface MeshAuthentication {
  readonly clients: MeshClients;
  readonly problems: readonly string[];
}

/** What is kept of a NetworkAuthentication. What of it could not be read lets nobody in. */
export interface NetworkAuthentication {
  readonly networks: readonly AllowedNetwork[];
  readonly problems: readonly string[];
}

export function meshAuthenticationProjection(domain: MeshDomain): (source: KubeObject) => MeshAuthentication {
  return (source) => {
    const problems: string[] = [];
    const { identities, identityRefs } = specOf(source);
    const own = source.metadata.namespace ?? '';
    const referred = readList(identityRefs, 'identityRefs', problems).map((each) =>
      referredClients(each, own, domain, problems),
    );
    return { clients: joined([readIdentities(identities, problems), ...referred]), problems };
  };
}

export function projectNetworkAuthentication(source: KubeObject): NetworkAuthentication {
  const problems: string[] = [];
  return { networks: readNetworks(specOf(source)['networks'], problems), problems };
}

function referredClients(value: unknown, own: string, domain: MeshDomain, problems: string[]): MeshClients {
  const { group, kind, name, namespace = own } = readReference(value);
  if (group === '' && kind === 'serviceaccount') return serviceAccount(domain, namespace, name, problems);
  if (group === '' && kind === 'namespace') return namespaceAccounts(domain, name, problems);
  problems.push(`expected a reference to a ServiceAccount or a Namespace, got ${shown(value)}`);
  return joined([]);
}

import type { InformerOptions } from '../../../kube/informer.ts';
import { informer } from '../../../kube/informer.ts';
import {
  authorizationPolicies,
  meshTlsAuthentications,
  networkAuthentications,
  policyHttpRoutes,
  serverAuthorizations,
  servers,
} from '../../../kube/resources.ts';
import type { MeshDomain } from '../../../pki/workload-identity.ts';
import { meshAuthenticationProjection, projectNetworkAuthentication } from './authentication-rules.ts';
import { authorizationProjection } from './authorization-rules.ts';
import { projectRoute } from './route-rules.ts';
import { serverAuthorizationProjection } from './server-authorization-rules.ts';
import { projectServer } from './server-rules.ts';

/**
 * Informers for the objects that only policy is made of; not running yet. The rights they need are list and watch.
 * None of the kinds may be missing but routes, which Kedge does not honour anyway: to take a Server that cannot be read for one that is not there would let in whom
 * it forbids.
 */
export function policyInformers(
  common: Pick<InformerOptions<unknown>, 'client' | 'clock' | 'log' | 'metrics'>,
  domain: MeshDomain,
) {
  return {
    servers: informer({ ...common, resource: servers, project: projectServer }),
    authorizationPolicies: informer({
      ...common,
      resource: authorizationPolicies,
      project: authorizationProjection(domain),
    }),
    serverAuthorizations: informer({
      ...common,
      resource: serverAuthorizations,
      project: serverAuthorizationProjection(domain),
    }),
    meshAuthentications: informer({
      ...common,
      resource: meshTlsAuthentications,
      project: meshAuthenticationProjection(domain),
    }),
    networkAuthentications: informer({
      ...common,
      resource: networkAuthentications,
      project: projectNetworkAuthentication,
    }),
    routes: informer({ ...common, resource: policyHttpRoutes, project: projectRoute, optional: true }),
  };
}

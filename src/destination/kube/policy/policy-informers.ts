import type { InformerOptions } from '../../../kube/informer.ts';
import { informer } from '../../../kube/informer.ts';
import type { Resource } from '../../../kube/resource.ts';
import {
  authorizationPolicies,
  gatewayGrpcRoutes,
  gatewayHttpRoutes,
  meshTlsAuthentications,
  networkAuthentications,
  policyHttpRoutes,
  serverAuthorizations,
  servers,
} from '../../../kube/resources.ts';
import type { MeshDomain } from '../../../pki/workload-identity.ts';
import { meshAuthenticationProjection, projectNetworkAuthentication } from './authentication-rules.ts';
import { authorizationProjection } from './authorization-rules.ts';
import { policyGroup } from './route-parents.ts';
import { routeProjection } from './route-rules.ts';
import { serverAuthorizationProjection } from './server-authorization-rules.ts';
import { projectServer } from './server-rules.ts';

/**
 * Informers for the objects that only policy is made of; not running yet. The rights they need are list and watch.
 * None of the kinds may be missing but routes, of which there are none then: to take a Server that cannot be read for one
 * that is not there would let in whom it forbids.
 */
export function policyInformers(
  common: Pick<InformerOptions<unknown>, 'client' | 'clock' | 'log' | 'metrics'>,
  domain: MeshDomain,
) {
  const routes = (resource: Resource) => {
    const { group, plural } = resource;
    const title = group === policyGroup ? plural : `${plural}.${group}`;
    return informer({ ...common, resource, title, project: routeProjection(resource), optional: true });
  };
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
    routes: routes(policyHttpRoutes),
    gatewayHttpRoutes: routes(gatewayHttpRoutes),
    gatewayGrpcRoutes: routes(gatewayGrpcRoutes),
  };
}

import type { Collection } from '../../../kube/collection.ts';
import type { Cluster } from '../cluster.ts';
import type { Touched } from '../indexed.ts';
import { Indexed, keepIndexed } from '../indexed.ts';
import type { Topics } from '../lookup.ts';
import { Lookup } from '../lookup.ts';
import type { MeshAuthentication, NetworkAuthentication } from './authentication-rules.ts';
import type { AuthorizationRules } from './authorization-rules.ts';
import type { PolicyWorkload } from './policy-workload.ts';
import { externalWorkload, podWorkload } from './policy-workload.ts';
import type { RouteRules } from './route-rules.ts';
import type { ServerAuthorizationRules } from './server-authorization-rules.ts';
import type { ServerRules } from './server-rules.ts';
import { Servers } from './servers.ts';

/** The objects that only inbound policy is made of. */
export interface PolicyCollections {
  readonly servers: Collection<ServerRules>;
  readonly authorizationPolicies: Collection<AuthorizationRules>;
  readonly serverAuthorizations: Collection<ServerAuthorizationRules>;
  readonly meshAuthentications: Collection<MeshAuthentication>;
  readonly networkAuthentications: Collection<NetworkAuthentication>;
  /** HTTPRoutes of `policy.linkerd.io`, and the routes of the Gateway API. */
  readonly routes: Collection<RouteRules>;
  readonly gatewayHttpRoutes: Collection<RouteRules>;
  readonly gatewayGrpcRoutes: Collection<RouteRules>;
}

/** Every way in which policy is found. Each reading leaves its topics with who reads. */
export class PolicyObjects {
  readonly cluster: Cluster;
  readonly servers: Servers;
  readonly meshAuthentications: Indexed<MeshAuthentication>;
  readonly networkAuthentications: Indexed<NetworkAuthentication>;
  /** By the Server (`namespace/name`) or the namespace (`namespace`) that is the target. */
  readonly #policies = new Lookup<AuthorizationRules>('authorization', ({ namespace, target }) => {
    if (target === undefined) return [];
    return [target.kind === 'server' ? `${namespace}/${target.name}` : namespace];
  });
  /** By the Server that is named, or by the namespace in which Servers are selected. */
  readonly #authorizations = new Lookup<ServerAuthorizationRules>(
    'server authorization',
    ({ namespace, server }) => {
      if (server === undefined) return [];
      return ['name' in server ? `${namespace}/${server.name}` : namespace];
    },
  );

  readonly #routes = new Lookup<RouteRules>('route', ({ namespace, servers }) =>
    servers.map((server) => `${namespace}/${server}`),
  );

  /** `touched` is called with the topics of which something has changed, in the cluster or in its policy. */
  constructor(cluster: Cluster, from: PolicyCollections, touched: Touched) {
    this.cluster = cluster;
    cluster.subscribe(touched);
    this.servers = new Servers(from.servers, touched);
    this.meshAuthentications = new Indexed('mesh', from.meshAuthentications, [], touched);
    this.networkAuthentications = new Indexed('network', from.networkAuthentications, [], touched);
    keepIndexed(from.authorizationPolicies, [this.#policies], touched);
    for (const routes of [from.routes, from.gatewayHttpRoutes, from.gatewayGrpcRoutes]) {
      keepIndexed(routes, [this.#routes], touched);
    }
    keepIndexed(from.serverAuthorizations, [this.#authorizations], touched);
  }

  /** A pod, or else an external workload, by `namespace/name`. */
  workload(key: string, topics: Topics): PolicyWorkload | undefined {
    const pod = this.cluster.pods.get(key, topics);
    if (pod !== undefined) return podWorkload(pod);
    const external = this.cluster.externalWorkloads.get(key, topics);
    return external === undefined ? undefined : externalWorkload(external);
  }

  /** Whether rules about requests are attached to the Server. */
  hasRoutes({ namespace, name }: ServerRules, topics: Topics): boolean {
    return this.#routes.find(`${namespace}/${name}`, topics).length > 0;
  }

  /** The AuthorizationPolicies of a Server and of its namespace, by name. */
  authorizationPolicies({ namespace, name }: ServerRules, topics: Topics): AuthorizationRules[] {
    return [
      ...this.#policies.find(`${namespace}/${name}`, topics),
      ...this.#policies.find(namespace, topics),
    ].sort(byName);
  }

  /** The ServerAuthorizations that name the Server, or that may select it, by name. */
  serverAuthorizations({ namespace, name }: ServerRules, topics: Topics): ServerAuthorizationRules[] {
    return [
      ...this.#authorizations.find(`${namespace}/${name}`, topics),
      ...this.#authorizations.find(namespace, topics),
    ].sort(byName);
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

import { KubePolicySource } from '../../../../../src/destination/kube/policy/kube-policy-source.ts';
import type {
  MeshAuthentication,
  NetworkAuthentication,
} from '../../../../../src/destination/kube/policy/authentication-rules.ts';
import {
  meshAuthenticationProjection,
  projectNetworkAuthentication,
} from '../../../../../src/destination/kube/policy/authentication-rules.ts';
import type { AuthorizationRules } from '../../../../../src/destination/kube/policy/authorization-rules.ts';
import { authorizationProjection } from '../../../../../src/destination/kube/policy/authorization-rules.ts';
import type { RouteRules } from '../../../../../src/destination/kube/policy/route-rules.ts';
import { routeProjection } from '../../../../../src/destination/kube/policy/route-rules.ts';
import type { ServerAuthorizationRules } from '../../../../../src/destination/kube/policy/server-authorization-rules.ts';
import { serverAuthorizationProjection } from '../../../../../src/destination/kube/policy/server-authorization-rules.ts';
import type { ServerRules } from '../../../../../src/destination/kube/policy/server-rules.ts';
import { projectServer } from '../../../../../src/destination/kube/policy/server-rules.ts';
import type { PolicyDefaults } from '../../../../../src/destination/kube/policy/port-policy.ts';
import { Cluster } from '../../../../../src/destination/kube/cluster.ts';
import type { PortPolicy } from '../../../../../src/destination/policy-source.ts';
import type { ServerPolicy } from '../../../../../src/destination/server-policy.ts';
import type { KubeObject } from '../../../../../src/kube/kube-object.ts';
import { gatewayGrpcRoutes, gatewayHttpRoutes, policyHttpRoutes } from '../../../../../src/kube/resources.ts';
import { objectKey } from '../../../../../src/kube/collection.ts';
import { IpNetwork } from '../../../../../src/runtime/ip-network.ts';
import { PortSet } from '../../../../../src/runtime/port-set.ts';
import { MemoryCollection } from '../../../../support/memory-collection.ts';
import { clusterCollections, clusterProjections } from '../../support/cluster-collections.ts';
import { toldFailures } from '../../support/told-failures.ts';
import { mesh } from '../../../support/mesh.ts';

/** An object as a manifest has it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: KubeObject['metadata'];
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const clusterNetworks = [IpNetwork.parse('10.0.0.0/8')!, IpNetwork.parse('fd00::/8')!];

/** The collections that policy is read from, filled with manifests. */
export class PolicyCluster {
  readonly collections = {
    ...clusterCollections(),
    servers: new MemoryCollection<ServerRules>(),
    authorizationPolicies: new MemoryCollection<AuthorizationRules>(),
    serverAuthorizations: new MemoryCollection<ServerAuthorizationRules>(),
    meshAuthentications: new MemoryCollection<MeshAuthentication>(),
    networkAuthentications: new MemoryCollection<NetworkAuthentication>(),
    routes: new MemoryCollection<RouteRules>(),
    gatewayHttpRoutes: new MemoryCollection<RouteRules>(),
    gatewayGrpcRoutes: new MemoryCollection<RouteRules>(),
  };

  /** What could not be read. */
  readonly failed = toldFailures();
  readonly #kinds: Readonly<Record<string, (key: string, object: KubeObject | undefined) => void>> = {
    Pod: into(this.collections.pods, clusterProjections.pods),
    ExternalWorkload: into(this.collections.externalWorkloads, clusterProjections.externalWorkloads),
    Namespace: into(this.collections.namespaces, clusterProjections.namespaces),
    Service: into(this.collections.services, clusterProjections.services),
    Node: into(this.collections.nodes, clusterProjections.nodes),
    Server: into(this.collections.servers, projectServer),
    AuthorizationPolicy: into(this.collections.authorizationPolicies, authorizationProjection(mesh)),
    ServerAuthorization: into(this.collections.serverAuthorizations, serverAuthorizationProjection(mesh)),
    MeshTLSAuthentication: into(this.collections.meshAuthentications, meshAuthenticationProjection(mesh)),
    NetworkAuthentication: into(this.collections.networkAuthentications, projectNetworkAuthentication),
    HTTPRoute: into(this.collections.routes, routeProjection(policyHttpRoutes)),
    GatewayHTTPRoute: into(this.collections.gatewayHttpRoutes, routeProjection(gatewayHttpRoutes)),
    GatewayGRPCRoute: into(this.collections.gatewayGrpcRoutes, routeProjection(gatewayGrpcRoutes)),
  };

  constructor(...manifests: readonly Manifest[]) {
    for (const manifest of manifests) this.apply(manifest);
  }

  apply(manifest: Manifest): this {
    this.#kinds[manifest.kind]!(objectKey(manifest.metadata), manifest);
    return this;
  }

  delete({ kind, metadata }: Pick<Manifest, 'kind' | 'metadata'>): this {
    this.#kinds[kind]!(objectKey(metadata), undefined);
    return this;
  }

  sync(): this {
    for (const collection of Object.values(this.collections)) collection.sync();
    return this;
  }

  source(defaults: Partial<PolicyDefaults> = {}): KubePolicySource {
    return new KubePolicySource(
      new Cluster(this.collections),
      this.collections,
      {
        policy: 'all-unauthenticated',
        opaquePorts: PortSet.parse('3306')!,
        clusterNetworks,
        ...defaults,
      },
      this.failed.failures,
    );
  }

  /** What a source that has just begun says of a port. */
  policy(workload: string, port: number, defaults: Partial<PolicyDefaults> = {}): PortPolicy | undefined {
    const [namespace = '', name = ''] = workload.split('/');
    const watched = this.sync().source(defaults).watchPolicy({ namespace, name }, port);
    watched.close();
    return watched.state.value;
  }
}

function into<T>(collection: MemoryCollection<T>, project: (object: KubeObject) => T | undefined) {
  return (key: string, object: KubeObject | undefined): void => {
    collection.apply([[key, object === undefined ? undefined : project(object)]]);
  };
}

/** A policy in a few words: `server web http1: policy x from everywhere by a, *.b`. */
export function told(policy: PortPolicy | undefined): string {
  if (policy === undefined || policy === 'unknown_workload') return policy ?? 'not known yet';
  const rules = policy.authorizations.map(rule);
  return [`${policy.isDefault ? 'default' : 'server'} ${policy.name} ${policy.protocol}`, ...rules].join(
    '; ',
  );
}

const EVERYWHERE = '0.0.0.0/0 ::/0';

function rule({ kind, name, networks, clients }: ServerPolicy['authorizations'][number]): string {
  const from = networks
    .map(({ network, except }) => [network, ...except].map((each) => each.toString()).join(' but '))
    .join(' ');
  const place = from === EVERYWHERE ? 'everywhere' : from;
  return `${kind} ${name}: ${whom(clients)} from ${place}`;
}

function whom(clients: ServerPolicy['authorizations'][number]['clients']): string {
  if (clients.kind !== 'meshed') return clients.kind === 'tls' ? 'any TLS' : 'anyone';
  const endings = clients.suffixes.map((parts) => ['*', ...parts].join('.'));
  const short = (name: string) => name.replace('.serviceaccount.identity.kedge.mesh.example', '');
  return [...clients.identities, ...endings].map(short).join(' or ') || 'nobody';
}

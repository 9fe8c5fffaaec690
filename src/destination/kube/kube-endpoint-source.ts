import { isDeepStrictEqual } from 'node:util';
import type { Latest } from '../../runtime/latest.ts';
import type { ClientContext } from '../context-token.ts';
import type { ClientPlace, EndpointSet } from '../endpoint-set.ts';
import type { EndpointSource, TargetProfile } from '../endpoint-source.ts';
import type { ServiceTarget, Target } from '../target.ts';
import type { Watched } from '../watched.ts';
import type { ClusterCollections } from './cluster.ts';
import { Cluster } from './cluster.ts';
import { Profiles } from './profiles.ts';
import { ServiceEndpoints } from './service-endpoints.ts';
import { Views } from './views.ts';
import type { WorkloadOptions } from './workloads.ts';
import { serverTopic, Workloads } from './workloads.ts';

/** Endpoints out of what Kubernetes knows. Nothing is told before all of it has been seen once. */
export class KubeEndpointSource implements EndpointSource {
  readonly #cluster: Cluster;
  readonly #endpoints: ServiceEndpoints;
  readonly #profiles: Profiles;
  readonly #views = new Views();

  constructor(collections: ClusterCollections, options: WorkloadOptions) {
    const views = this.#views;
    const cluster = new Cluster(collections, (topics) => views.touch(topics));
    const workloads = new Workloads(cluster, options);
    const endpoints = new ServiceEndpoints(cluster, workloads);
    this.#cluster = cluster;
    this.#endpoints = endpoints;
    this.#profiles = new Profiles({ cluster, workloads, endpoints, opaquePorts: options.opaquePorts });
    options.protocols.subscribe((namespace) => views.touch([serverTopic(namespace)]));
    const { services, endpointSlices, pods, nodes, namespaces, externalWorkloads } = collections;
    const needed = [services, endpointSlices, pods, nodes, namespaces, externalWorkloads, options.protocols];
    openWhenSynced(needed, views);
  }

  watchEndpoints(target: ServiceTarget): Watched<EndpointSet> {
    return this.#views.watch(
      (topics) => this.#endpoints.of(target, topics),
      (a, b) => a.equals(b),
    );
  }

  watchProfile(target: Target): Watched<TargetProfile> {
    return this.#views.watch((topics) => this.#profiles.of(target, topics), isDeepStrictEqual);
  }

  /** What the proxy says of its node is believed, and else its pod is looked up. */
  placeOf({ nodeName, namespace, pod }: ClientContext): ClientPlace {
    const unread = new Set<string>();
    const known =
      namespace === undefined || pod === undefined
        ? undefined
        : this.#cluster.pods.get(`${namespace}/${pod}`, unread);
    const node = nodeName ?? known?.node;
    return { node, zone: node === undefined ? undefined : this.#cluster.nodes.get(node, unread)?.zone };
  }
}

interface Synced {
  readonly synced: Latest<boolean>;
}

function openWhenSynced(all: readonly Synced[], views: Views): void {
  const look = () => {
    if (all.every(({ synced }) => synced.value)) views.open();
  };
  for (const { synced } of all) synced.subscribe(look);
  look();
}

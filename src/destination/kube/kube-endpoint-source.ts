import { isDeepStrictEqual } from 'node:util';
import { socketText } from '../../runtime/ip-address.ts';
import type { ClientContext } from '../context-token.ts';
import type { ClientPlace, EndpointSet } from '../endpoint-set.ts';
import type { EndpointSource, TargetProfile } from '../endpoint-source.ts';
import type { ServiceTarget, Target } from '../target.ts';
import { workloadKey } from '../workload-name.ts';
import type { Watched } from '../watched.ts';
import { allSynced } from './all-synced.ts';
import type { Cluster } from './cluster.ts';
import { Profiles } from './profiles.ts';
import { ServiceEndpoints } from './service-endpoints.ts';
import type { ViewFailures } from './view-failures.ts';
import { Views } from './views.ts';
import type { WorkloadOptions } from './workloads.ts';
import { serverTopic, Workloads } from './workloads.ts';

/** Endpoints out of what Kubernetes knows. Nothing is told before all of it has been seen once. */
export class KubeEndpointSource implements EndpointSource {
  readonly #cluster: Cluster;
  readonly #endpoints: ServiceEndpoints;
  readonly #profiles: Profiles;
  readonly #views: Views;

  constructor(cluster: Cluster, options: WorkloadOptions, failures: ViewFailures) {
    const { protocols, opaquePorts } = options;
    const views = new Views(allSynced({ cluster, protocols }), failures);
    cluster.subscribe((topics) => views.touch(topics));
    protocols.subscribe((namespace) => views.touch([serverTopic(namespace)]));
    const workloads = new Workloads(cluster, options);
    const endpoints = new ServiceEndpoints(cluster, workloads);
    this.#views = views;
    this.#cluster = cluster;
    this.#endpoints = endpoints;
    this.#profiles = new Profiles({ cluster, workloads, endpoints, opaquePorts });
  }

  watchEndpoints(target: ServiceTarget): Watched<EndpointSet> {
    return this.#views.watch({
      view: 'endpoints',
      target: nameOf(target),
      read: (topics) => this.#endpoints.of(target, topics),
      same: (a, b) => a.equals(b),
    });
  }

  watchProfile(target: Target): Watched<TargetProfile> {
    return this.#views.watch({
      view: 'profile',
      target: nameOf(target),
      read: (topics) => this.#profiles.of(target, topics),
      same: isDeepStrictEqual,
    });
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

function nameOf(target: Target): string {
  if (target.kind === 'address') return socketText(target.address, target.port);
  const instance = target.instance === undefined ? '' : `/${target.instance}`;
  return `${workloadKey(target)}${instance}:${target.port}`;
}

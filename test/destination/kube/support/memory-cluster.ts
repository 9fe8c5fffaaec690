import type { EndpointSliceSource } from '../../../../src/destination/kube/endpoint-slice.ts';
import type { ExternalWorkloadSource } from '../../../../src/destination/kube/external-workload.ts';
import type { NodeSource } from '../../../../src/destination/kube/node.ts';
import type { PodSource } from '../../../../src/destination/kube/pod.ts';
import type { ServiceSource } from '../../../../src/destination/kube/service.ts';
import { Cluster } from '../../../../src/destination/kube/cluster.ts';
import { KubeEndpointSource } from '../../../../src/destination/kube/kube-endpoint-source.ts';
import { parseTarget } from '../../../../src/destination/target.ts';
import type { ServiceTarget } from '../../../../src/destination/target.ts';
import type { EndpointSet } from '../../../../src/destination/endpoint-set.ts';
import type { TargetProfile } from '../../../../src/destination/endpoint-source.ts';
import type { PortProtocol } from '../../../../src/destination/workload.ts';
import { objectKey } from '../../../../src/kube/collection.ts';
import type { KubeObject } from '../../../../src/kube/kube-object.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import { PortSet } from '../../../../src/runtime/port-set.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import type { MemoryCollection } from '../../../support/memory-collection.ts';
import { mesh } from '../../support/mesh.ts';
import { clusterCollections, clusterProjections } from './cluster-collections.ts';
import { toldFailures } from './told-failures.ts';

/** The objects of a cluster, in the words of its API. */
export interface Sources {
  readonly services: ServiceSource;
  readonly endpointSlices: EndpointSliceSource;
  readonly pods: PodSource;
  readonly nodes: NodeSource;
  readonly namespaces: KubeObject;
  readonly externalWorkloads: ExternalWorkloadSource;
}

export type Kind = keyof Sources;

/** A cluster that a test makes and changes by hand, and what is answered for it. */
export class MemoryCluster {
  readonly collections = clusterCollections();
  readonly log = new LogCapture();
  /** What could not be read. */
  readonly failed = toldFailures();
  /** What Servers say, by `namespace/pod:port`. */
  readonly protocols = new Map<string, PortProtocol>();
  /** Whether every Server has been seen. */
  readonly serversSynced = new LatestValue(false);
  readonly source: KubeEndpointSource;
  #serversChanged: (namespace: string) => void = () => undefined;

  constructor() {
    this.source = new KubeEndpointSource(
      new Cluster(this.collections),
      {
        domain: mesh,
        opaquePorts: PortSet.parse('25,3306')!,
        protocols: {
          synced: this.serversSynced,
          protocolOf: ({ namespace, name }, port) => this.protocols.get(`${namespace}/${name}:${port}`),
          subscribe: (listener) => {
            this.#serversChanged = listener;
            return () => undefined;
          },
        },
        log: this.log,
      },
      this.failed.failures,
    );
  }

  put<K extends Kind>(kind: K, ...sources: Sources[K][]): this {
    const collection = this.collections[kind] as MemoryCollection<unknown>;
    const project = clusterProjections[kind] as (source: Sources[K]) => unknown;
    collection.apply(sources.map((source) => [objectKey(source.metadata), project(source)] as const));
    return this;
  }

  delete(kind: Kind, key: string): this {
    this.collections[kind].delete(key);
    return this;
  }

  /** Makes of a pod what no projection may: whoever reads it throws. */
  spoilPod(key: string): this {
    this.collections.pods.set(key, { ...this.collections.pods.get(key)!, labels: undefined as never });
    return this;
  }

  setServerProtocol(pod: string, port: number, protocol: PortProtocol): this {
    this.protocols.set(`${pod}:${port}`, protocol);
    this.#serversChanged(pod.split('/')[0]!);
    return this;
  }

  sync(): this {
    for (const collection of Object.values(this.collections)) collection.sync();
    this.serversSynced.set(true);
    return this;
  }

  /** The present endpoints of `service.namespace:port`; undefined while nothing is known. */
  endpoints(path: string): EndpointSet | undefined {
    const watched = this.source.watchEndpoints(target(path) as ServiceTarget);
    watched.close();
    return watched.state.value;
  }

  /** The present profile of `service.namespace:port` or `address:port`. */
  profile(path: string): TargetProfile | undefined {
    const watched = this.source.watchProfile(target(path));
    watched.close();
    return watched.state.value;
  }
}

/** `web.shop:80` is short for the name in full. */
export function target(path: string) {
  const short = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+)(:\d+)$/.exec(path);
  const full = short !== null && /[a-z]/.test(short[1]!);
  return parseTarget(full ? `${short[1]}.svc.cluster.local${short[2]}` : path, 'cluster.local');
}

/** The keys of a set, in order. */
export function keysOf(set: EndpointSet | undefined): string[] | undefined {
  return set === undefined ? undefined : [...set.endpoints.keys()].sort();
}

import type { Collection } from '../../kube/collection.ts';
import { IpAddress, socketText } from '../../runtime/ip-address.ts';
import type { Latest } from '../../runtime/latest.ts';
import { allSynced } from './all-synced.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import type { ExternalWorkload } from './external-workload.ts';
import type { Touched } from './indexed.ts';
import { Indexed, keepIndexed } from './indexed.ts';
import type { Topics } from './lookup.ts';
import { Lookup } from './lookup.ts';
import type { Namespace } from './namespace.ts';
import type { Node } from './node.ts';
import type { Pod } from './pod.ts';
import type { Service } from './service.ts';

/** What endpoints are made of, and policy looks at. */
export interface ClusterCollections {
  readonly services: Collection<Service>;
  readonly endpointSlices: Collection<EndpointSlice>;
  readonly pods: Collection<Pod>;
  readonly nodes: Collection<Node>;
  readonly namespaces: Collection<Namespace>;
  readonly externalWorkloads: Collection<ExternalWorkload>;
}

/** Every way in which the objects of a cluster are found. Each reading leaves its topics with who reads. */
export class Cluster {
  /** Whether everything of every kind has been seen once. */
  readonly synced: Latest<boolean>;
  readonly services: Indexed<Service>;
  readonly pods: Indexed<Pod>;
  readonly nodes: Indexed<Node>;
  readonly namespaces: Indexed<Namespace>;
  readonly externalWorkloads: Indexed<ExternalWorkload>;

  /** By `namespace/service`. */
  readonly slices = new Lookup<EndpointSlice>('slices', ({ namespace, service }) => [
    `${namespace}/${service}`,
  ]);
  /** By cluster IP. */
  readonly servicesAt = new Lookup<Service>('cluster ip', ({ clusterIPs }) => clusterIPs.map(canonical));
  /** By node port, as text. */
  readonly nodePorts = new Lookup<Service>('node port', ({ ports }) =>
    ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [String(nodePort)])),
  );
  /** By their own addresses: neither those of their node, nor any that they have left. */
  readonly podsAt = new Lookup<Pod>('pod ip', ({ hostNetwork, ended, ips }) =>
    hostNetwork || ended ? [] : ips.map(canonical),
  );
  /** By `address:port` as they ask for it. */
  readonly #hostPorts = new Lookup<Pod>('host port', hostSockets);
  readonly nodesAt = new Lookup<Node>('node ip', ({ ips }) => ips.map(canonical));
  readonly externalsAt = new Lookup<ExternalWorkload>('external ip', ({ ips }) => ips.map(canonical));
  /** By namespace. */
  readonly externalsIn = new Lookup<ExternalWorkload>('externals in', ({ namespace }) => [namespace]);

  readonly #listeners: Touched[] = [];

  constructor(from: ClusterCollections) {
    const touched: Touched = (topics) => {
      for (const listener of this.#listeners) listener(topics);
    };
    this.synced = allSynced({ ...from });
    this.services = new Indexed('service', from.services, [this.servicesAt, this.nodePorts], touched);
    keepIndexed(from.endpointSlices, [this.slices], touched);
    this.pods = new Indexed('pod', from.pods, [this.podsAt, this.#hostPorts], touched);
    this.nodes = new Indexed('node', from.nodes, [this.nodesAt], touched);
    this.namespaces = new Indexed('namespace', from.namespaces, [], touched);
    const externals = [this.externalsAt, this.externalsIn];
    this.externalWorkloads = new Indexed('external', from.externalWorkloads, externals, touched);
  }

  /** Calls the listener with the topics of which something has changed, for as long as the cluster is followed. */
  subscribe(listener: Touched): void {
    this.#listeners.push(listener);
  }

  /** Whom a port of a node leads to. A pod may ask for any address at all: those of its own node alone count. */
  podsOnHost(address: IpAddress, port: number, topics: Topics): Pod[] {
    return this.#hostPorts.find(socketText(address, port), topics).filter(({ hostIPs, node }) => {
      const known = node === undefined ? undefined : this.nodes.get(node, topics);
      return [...hostIPs, ...(known?.ips ?? [])].some((ip) => canonical(ip) === address.toString());
    });
  }
}

function hostSockets({ ports, hostIPs, ended }: Pod): string[] {
  if (ended) return [];
  return ports.flatMap(({ hostPort, hostIP }) =>
    hostPort === undefined
      ? []
      : (hostIP === undefined ? hostIPs : [hostIP]).flatMap((ip) => {
          const address = IpAddress.parse(ip);
          return address === undefined ? [] : [socketText(address, hostPort)];
        }),
  );
}

/** The spelling in which addresses are looked up. */
function canonical(ip: string): string {
  return IpAddress.parse(ip)?.toString() ?? ip;
}

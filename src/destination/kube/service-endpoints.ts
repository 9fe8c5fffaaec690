import { IpAddress } from '../../runtime/ip-address.ts';
import type { Endpoint } from '../endpoint.ts';
import { bareEndpoint, endpointKey } from '../endpoint.ts';
import { EndpointSet } from '../endpoint-set.ts';
import type { ServiceTarget } from '../target.ts';
import { workloadKey } from '../workload-name.ts';
import type { Cluster } from './cluster.ts';
import type { EndpointSlice, SliceEndpoint, SliceTarget } from './endpoint-slice.ts';
import type { ExternalWorkload } from './external-workload.ts';
import type { Topics } from './lookup.ts';
import type { Candidate } from './routed-set.ts';
import { routedSet } from './routed-set.ts';
import type { Service, ServicePort } from './service.ts';
import type { FoundWorkload, Workloads } from './workloads.ts';

/** A candidate, with what its namesakes and instances are told by. */
interface Member extends Candidate {
  readonly hostname: string | undefined;
  /** The object behind it: the same for each address of a pod. */
  readonly target: string | undefined;
}

/** A port of a service that is there. */
export interface DefinedPort {
  readonly service: Service;
  readonly port: ServicePort;
}

/** Finds the endpoints of services, through slices and among external workloads. */
export class ServiceEndpoints {
  readonly #cluster: Cluster;
  readonly #workloads: Workloads;

  constructor(cluster: Cluster, workloads: Workloads) {
    this.#cluster = cluster;
    this.#workloads = workloads;
  }

  /** `undefined` for a service that is not there, or a name outside the cluster, or a port that it does not have. */
  defined(target: ServiceTarget, topics: Topics): DefinedPort | undefined {
    const service = this.#cluster.services.get(workloadKey(target), topics);
    if (service === undefined || service.external) return undefined;
    const port = service.ports.find((one) => one.port === target.port);
    return port === undefined ? undefined : { service, port };
  }

  of(target: ServiceTarget, topics: Topics): EndpointSet {
    const defined = this.defined(target, topics);
    if (defined === undefined) return EndpointSet.missing();
    const members = this.#members(defined, topics);
    if (target.instance === undefined) return routedSet(members, defined.service.local);
    const instances = members.filter(({ hostname }) => hostname === target.instance);
    return instances.length === 0 ? EndpointSet.missing() : routedSet(instances, false);
  }

  #members({ service, port }: DefinedPort, topics: Topics): Member[] {
    const slices = this.#cluster.slices
      .find(workloadKey(service), topics)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const found = [
      ...slices.flatMap((slice) => this.#inSlice(slice, port, topics)),
      ...this.#external(service, port, topics),
    ];
    return oneFamily(eachOnce(found), service.family);
  }

  /** The slice's port of the same name; a name stands for different numbers in different slices. */
  #inSlice(slice: EndpointSlice, { name }: ServicePort, topics: Topics): Member[] {
    const port = slice.ports.find((one) => one.name === name)?.port;
    if (port === undefined) return [];
    return slice.endpoints.flatMap((endpoint) => this.#member(slice, endpoint, port, topics));
  }

  #member(slice: EndpointSlice, at: SliceEndpoint, port: number, topics: Topics): Member[] {
    const address = IpAddress.parse(at.address);
    if (address === undefined) return [];
    const { ready, node, hints, hostname } = at;
    const target = at.target === undefined ? undefined : `${at.target.kind}/${at.target.name}`;
    const found = this.#behind(slice.namespace, at, address, topics);
    const endpoint = endpointOf(found, address, port);
    if (endpoint === undefined) return [];
    const zoned = endpoint.zone === undefined ? { ...endpoint, zone: at.zone } : endpoint;
    return [{ endpoint: zoned, ready, node, hints, hostname, target }];
  }

  /**
   * What is at the address. Where the slice names one object and another has the address, it is of the past, or written
   * by somebody who would have it reached without its identity: `unusable`.
   */
  #behind(
    namespace: string,
    { target }: SliceEndpoint,
    address: IpAddress,
    topics: Topics,
  ): FoundWorkload | undefined {
    const holder = this.#workloads.at(address, topics);
    if (target === undefined) return holder;
    const named = this.#named(namespace, target, topics);
    return holder === undefined || holder === named ? named : 'unusable';
  }

  /** One that is not known (any more, or yet) is `unusable`: whether it must prove an identity cannot be told. */
  #named(namespace: string, target: SliceTarget, topics: Topics): FoundWorkload {
    const key = `${namespace}/${target.name}`;
    if (target.kind === 'ExternalWorkload') {
      const external = this.#cluster.externalWorkloads.get(key, topics);
      return external === undefined ? 'unusable' : this.#workloads.ofExternal(external, topics);
    }
    const pod = this.#cluster.pods.get(key, topics);
    const same = pod !== undefined && (target.uid === undefined || target.uid === pod.uid);
    return same ? this.#workloads.ofPod(pod, topics) : 'unusable';
  }

  /** Those that the service selects; nobody else makes slices of them. */
  #external(service: Service, port: ServicePort, topics: Topics): Member[] {
    const wanted = Object.entries(service.selector);
    if (wanted.length === 0) return [];
    return this.#cluster.externalsIn
      .find(service.namespace, topics)
      .filter(({ ready, labels }) => ready && wanted.every(([name, value]) => labels[name] === value))
      .flatMap((external) => this.#externalMembers(external, port, topics));
  }

  #externalMembers(external: ExternalWorkload, { targetPort }: ServicePort, topics: Topics): Member[] {
    const port =
      typeof targetPort === 'number'
        ? targetPort
        : external.ports.find(({ name }) => name === targetPort)?.port;
    if (port === undefined) return [];
    const workload = this.#workloads.ofExternal(external, topics);
    if (workload === 'unusable') return [];
    return workload.addresses.flatMap((address) => {
      if (this.#workloads.at(address, topics) !== workload) return [];
      const endpoint = workload.endpointAt(address, port);
      const target = `ExternalWorkload/${external.name}`;
      const placement = { ready: true, node: undefined, hints: undefined, hostname: undefined, target };
      return endpoint === undefined ? [] : [{ endpoint, ...placement }];
    });
  }
}

/** `undefined` for what is told to nobody. */
export function endpointOf(
  found: FoundWorkload | undefined,
  address: IpAddress,
  port: number,
): Endpoint | undefined {
  if (found === undefined) return bareEndpoint(address, port);
  return found === 'unusable' ? undefined : found.endpointAt(address, port);
}

/** An address may stand in several slices for a while, as when it moves from one to another. The first slice holds. */
function eachOnce(members: readonly Member[]): Member[] {
  const byKey = new Map<string, Member>();
  for (const member of members) {
    const key = endpointKey(member.endpoint);
    const known = byKey.get(key);
    if (known === undefined || (member.ready && !known.ready)) byKey.set(key, member);
  }
  return [...byKey.values()];
}

/** What has addresses of both families is told with one of the service's first, so that it does not count twice. */
function oneFamily(members: Member[], family: 4 | 6): Member[] {
  const preferred = new Set(
    members.filter(({ endpoint }) => endpoint.address.family === family).map(({ target }) => target),
  );
  return members.filter(
    ({ endpoint, target }) =>
      endpoint.address.family === family || target === undefined || !preferred.has(target),
  );
}

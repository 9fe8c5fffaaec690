import type { PortSet } from '../../runtime/port-set.ts';
import { bareEndpoint } from '../endpoint.ts';
import type { EndpointSet } from '../endpoint-set.ts';
import type { TargetProfile } from '../endpoint-source.ts';
import type { AddressTarget, ServiceTarget, Target } from '../target.ts';
import { annotatedPorts } from './annotated-ports.ts';
import type { Cluster } from './cluster.ts';
import type { Topics } from './lookup.ts';
import { newest } from './newest.ts';
import type { Pod } from './pod.ts';
import type { Service } from './service.ts';
import type { DefinedPort, ServiceEndpoints } from './service-endpoints.ts';
import { endpointOf } from './service-endpoints.ts';
import type { FoundWorkload, Workloads } from './workloads.ts';

export interface ProfileParts {
  readonly cluster: Cluster;
  readonly workloads: Workloads;
  readonly endpoints: ServiceEndpoints;
  readonly opaquePorts: PortSet;
}

/** Tells what stands behind a target. `undefined` where no answer would be safe, so that the caller waits. */
export class Profiles {
  readonly #parts: ProfileParts;

  constructor(parts: ProfileParts) {
    this.#parts = parts;
  }

  of(target: Target, topics: Topics): TargetProfile | undefined {
    return target.kind === 'address' ? this.#ofAddress(target, topics) : this.#ofName(target, topics);
  }

  /** An instance that is there is told as one endpoint; everything else by the name to ask for its endpoints. */
  #ofName(target: ServiceTarget, topics: Topics): TargetProfile {
    const { endpoints } = this.#parts;
    const defined = endpoints.defined(target, topics);
    if (defined === undefined) return { kind: 'service', service: target, exists: false, opaque: false };
    const set = endpoints.of(target, topics);
    if (target.instance === undefined) {
      const opaque = this.#isOpaque(defined, set, topics);
      return { kind: 'service', service: target, exists: true, opaque };
    }
    const [endpoint] = set.endpoints.values();
    if (endpoint === undefined) return { kind: 'service', service: target, exists: false, opaque: false };
    return { kind: 'endpoint', endpoint };
  }

  /** Without a word from the Service itself, one opaque endpoint is enough: what looks into it may wait for ever. */
  #isOpaque({ service, port }: DefinedPort, set: EndpointSet, topics: Topics): boolean {
    const { cluster, opaquePorts } = this.#parts;
    const namespace = cluster.namespaces.get(service.namespace, topics);
    const listed = annotatedPorts('opaque-ports', { ...service, namespace }) ?? opaquePorts;
    if (listed.has(port.port)) return true;
    if (service.annotations['opaque-ports'] !== undefined) return false;
    return [...set.endpoints.values()].some(({ opaque }) => opaque);
  }

  #ofAddress(target: AddressTarget, topics: Topics): TargetProfile | undefined {
    const { cluster, workloads } = this.#parts;
    const { address, port } = target;
    const service = newest(cluster.servicesAt.find(address.toString(), topics));
    if (service !== undefined) return this.#ofName(named(service, port), topics);
    const found = workloads.at(address, topics);
    return found === undefined ? this.#onNode(target, topics) : endpointProfile(found, target);
  }

  /** A port of a node may lead to a pod or to a service. */
  #onNode(target: AddressTarget, topics: Topics): TargetProfile | undefined {
    const { cluster, workloads } = this.#parts;
    const { address, port } = target;
    const ip = address.toString();
    const pod = newest(cluster.podsOnHost(address, port, topics));
    if (pod !== undefined) return this.#ofHostPort(pod, workloads.ofPod(pod, topics), target);
    if (cluster.nodesAt.find(ip, topics).length > 0) {
      const service = newest(cluster.nodePorts.find(String(port), topics));
      const exposed = service?.ports.find(({ nodePort }) => nodePort === port);
      if (service !== undefined && exposed !== undefined)
        return this.#ofName(named(service, exposed.port), topics);
    }
    return { kind: 'endpoint', endpoint: bareEndpoint(address, port) };
  }

  /** Told with the pod's own address and port, where the node would have sent the connection. */
  #ofHostPort(pod: Pod, found: FoundWorkload, { address, port }: AddressTarget): TargetProfile | undefined {
    const own = pod.ports.find(
      ({ hostPort, hostIP = address.toString() }) => hostPort === port && hostIP === address.toString(),
    );
    if (own === undefined || found === 'unusable') return undefined;
    const { addresses } = found;
    const [first = address] = addresses;
    const target = addresses.find(({ family }) => family === address.family) ?? first;
    return endpointProfile(found, { kind: 'address', address: target, port: own.port });
  }
}

function endpointProfile(found: FoundWorkload, { address, port }: AddressTarget): TargetProfile | undefined {
  const endpoint = endpointOf(found, address, port);
  return endpoint === undefined ? undefined : { kind: 'endpoint', endpoint };
}

function named({ namespace, name }: Service, port: number): ServiceTarget {
  return { kind: 'service', namespace, name, instance: undefined, port };
}

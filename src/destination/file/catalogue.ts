import type { ClientContext } from '../context-token.ts';
import type { Endpoint } from '../endpoint.ts';
import { bareEndpoint } from '../endpoint.ts';
import { EndpointSet } from '../endpoint-set.ts';
import type { TargetProfile } from '../endpoint-source.ts';
import type { PortPolicy } from '../policy-source.ts';
import type { AddressTarget, ServiceTarget, Target } from '../target.ts';
import type { WorkloadName } from '../workload-name.ts';
import { workloadKey } from '../workload-name.ts';
import type { AddressBook } from './address-book.ts';
import type { FileWorkload } from './file-workload.ts';
import type { FileService, NamedEndpoint } from './read-services.ts';

export interface CatalogueParts {
  readonly zones: ReadonlyMap<string, string>;
  readonly workloads: ReadonlyMap<string, FileWorkload>;
  readonly services: ReadonlyMap<string, FileService>;
  readonly addresses: AddressBook;
}

/** The content of one good file, and the answers it gives. Immutable: a new file is a new catalogue. */
export class Catalogue {
  readonly #parts: CatalogueParts;

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
  }

  /** How much the file holds, for the log. */
  get size(): { readonly services: number; readonly workloads: number } {
    return { services: this.#parts.services.size, workloads: this.#parts.workloads.size };
  }

  endpoints(target: ServiceTarget): EndpointSet {
    const port = this.#parts.services.get(workloadKey(target))?.ports.get(target.port);
    if (port === undefined) return EndpointSet.missing();
    const { instance } = target;
    if (instance === undefined) return EndpointSet.of(port.endpoints.map(({ endpoint }) => endpoint));
    const one = named(port.endpoints, instance);
    return one === undefined ? EndpointSet.missing() : EndpointSet.of([one]);
  }

  profile(target: Target): TargetProfile {
    return target.kind === 'address' ? this.#addressProfile(target) : this.#serviceProfile(target);
  }

  policy(workload: WorkloadName, port: number): PortPolicy {
    return this.#parts.workloads.get(workloadKey(workload))?.policyAt(port) ?? 'unknown_workload';
  }

  zoneOf(client: ClientContext): string | undefined {
    const { nodeName, namespace, pod } = client;
    const ofNode = nodeName === undefined ? undefined : this.#parts.zones.get(nodeName);
    if (ofNode !== undefined || namespace === undefined || pod === undefined) return ofNode;
    return this.#parts.workloads.get(`${namespace}/${pod}`)?.zone;
  }

  #addressProfile({ address, port }: AddressTarget): TargetProfile {
    const service = this.#parts.addresses.service(address);
    if (service !== undefined) {
      const { namespace, name } = service;
      return this.#serviceProfile({ kind: 'service', namespace, name, instance: undefined, port });
    }
    const endpoint = this.#parts.addresses.endpoint(address, port);
    return { kind: 'endpoint', endpoint: endpoint ?? bareEndpoint(address, port) };
  }

  /** An instance that is there is told as one endpoint; everything else by the name to ask for its endpoints. */
  #serviceProfile(target: ServiceTarget): TargetProfile {
    const port = this.#parts.services.get(workloadKey(target))?.ports.get(target.port);
    const instance =
      target.instance === undefined ? undefined : named(port?.endpoints ?? [], target.instance);
    if (instance !== undefined) return { kind: 'endpoint', endpoint: instance };
    const exists = port !== undefined && target.instance === undefined;
    return { kind: 'service', service: target, exists, opaque: port?.opaque ?? false };
  }
}

function named(endpoints: readonly NamedEndpoint[], hostname: string): Endpoint | undefined {
  return endpoints.find((candidate) => candidate.hostname === hostname)?.endpoint;
}

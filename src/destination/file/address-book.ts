import type { Endpoint } from '../endpoint.ts';
import { DEFAULT_WEIGHT, endpointKey, nameOf, sameIdentity } from '../endpoint.ts';
import type { IpAddress } from '../../runtime/ip-address.ts';
import { socketText } from '../../runtime/ip-address.ts';
import { endpointAt } from '../workload.ts';
import { workloadKey } from '../workload-name.ts';
import type { FileWorkload } from './file-workload.ts';
import type { FieldPath, Problems } from './problems.ts';
import type { FileService } from './read-services.ts';

/**
 * Whose address is it? Built once per file; every answer that could be two different things is a problem of the
 * file, for a proxy that looks an address up would otherwise be told one of them by chance.
 */
export class AddressBook {
  readonly #services = new Map<string, FileService>();
  readonly #workloads = new Map<string, FileWorkload[]>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #problems: Problems;

  constructor(
    workloads: ReadonlyMap<string, FileWorkload>,
    services: ReadonlyMap<string, FileService>,
    problems: Problems,
  ) {
    this.#problems = problems;
    for (const [key, workload] of workloads) this.#addWorkload(workload, ['workloads', key, 'addresses']);
    for (const [key, service] of services) this.#addService(service, ['services', key, 'clusterIPs']);
    for (const service of services.values()) this.#addEndpoints(service);
  }

  /** The service that has this cluster IP. */
  service(address: IpAddress): FileService | undefined {
    return this.#services.get(address.toString());
  }

  /** The endpoint at this address and port: one that a service names, or a port of a workload. */
  endpoint(address: IpAddress, port: number): Endpoint | undefined {
    const named = this.#endpoints.get(socketText(address, port));
    if (named !== undefined) return named;
    const owner = this.#owner(address, port);
    return owner === undefined ? undefined : endpointAt(owner, address, port, DEFAULT_WEIGHT);
  }

  /** On an address of its own every port is the workload's, on a shared one those it lists. */
  #owner(address: IpAddress, port: number): FileWorkload | undefined {
    const sharers = this.#workloads.get(address.toString()) ?? [];
    return sharers.length === 1 ? sharers[0] : sharers.find((workload) => workload.listed.has(port));
  }

  #addWorkload(workload: FileWorkload, path: FieldPath): void {
    for (const [i, address] of workload.addresses.entries()) {
      const sharers = this.#workloads.get(address.toString()) ?? [];
      for (const other of sharers) this.#checkShared(workload, other, address, [...path, i]);
      this.#workloads.set(address.toString(), [...sharers, workload]);
    }
  }

  #checkShared(workload: FileWorkload, other: FileWorkload, address: IpAddress, path: FieldPath): void {
    if (workload === other) {
      this.#problems.add(path, `expected each address once, got ${address.toString()} again`);
      return;
    }
    const both = [...workload.listed].find((port) => other.listed.has(port));
    const silent = [workload, other].find(({ listed }) => listed.size === 0);
    const shared = `${workloadKey(other)} has ${address.toString()} too`;
    if (both !== undefined) {
      this.#problems.add(path, `expected each port of an address once, got ${both} again: ${shared}`);
    } else if (silent !== undefined) {
      this.#problems.add(path, `expected ${workloadKey(silent)} to list its ports: ${shared}`);
    }
  }

  #addService(service: FileService, path: FieldPath): void {
    for (const [i, address] of service.clusterIPs.entries()) {
      const text = address.toString();
      const other = this.#services.get(text) ?? this.#workloads.get(text)?.[0];
      if (other !== undefined) {
        this.#problems.add(
          [...path, i],
          `expected an address of its own, got ${text} of ${workloadKey(other)}`,
        );
      }
      this.#services.set(text, service);
    }
  }

  #addEndpoints(service: FileService): void {
    for (const { endpoints } of service.ports.values()) {
      for (const { endpoint, path } of endpoints) {
        const known = this.endpoint(endpoint.address, endpoint.port);
        if (known !== undefined && !provesTheSame(known, endpoint)) {
          this.#problems.add(path, `expected what is known of ${endpointKey(endpoint)}: ${described(known)}`);
        }
        this.#endpoints.set(endpointKey(endpoint), known ?? endpoint);
      }
    }
  }
}

function provesTheSame(a: Endpoint, b: Endpoint): boolean {
  return sameIdentity(a.identity, b.identity) && a.inboundPort === b.inboundPort && a.opaque === b.opaque;
}

function described({ identity, inboundPort, opaque }: Endpoint): string {
  const who = identity === undefined ? 'no identity' : `identity ${nameOf(identity)}`;
  const where = inboundPort === undefined ? 'no inbound port' : `inbound port ${inboundPort}`;
  return `${who}, ${where}, ${opaque ? 'opaque' : 'not opaque'}`;
}

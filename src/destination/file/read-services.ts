import { quoted } from '../../runtime/quoted.ts';
import type { Endpoint } from '../endpoint.ts';
import { DEFAULT_WEIGHT, endpointKey } from '../endpoint.ts';
import type { IpAddress } from '../../runtime/ip-address.ts';
import { endpointAt } from '../workload.ts';
import type {
  AddressEndpointEntry,
  DestinationDocument,
  EndpointEntry,
  WorkloadEndpointEntry,
} from './document.ts';
import { addressLabels, checkReservedLabels } from './endpoint-labels.ts';
import type { FileWorkload } from './file-workload.ts';
import type { FieldPath } from './problems.ts';
import type { ReadContext } from './read-context.ts';
import { readAddress, readIdentity, splitName } from './read-context.ts';

/** An endpoint, with the host name by which it can be asked for alone. */
export interface NamedEndpoint {
  readonly endpoint: Endpoint;
  readonly hostname: string | undefined;
  /** Where in the file it is. */
  readonly path: FieldPath;
}

export interface FileServicePort {
  readonly opaque: boolean;
  readonly endpoints: readonly NamedEndpoint[];
}

export interface FileService {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIPs: readonly IpAddress[];
  readonly ports: ReadonlyMap<number, FileServicePort>;
}

/** Reads the services, by `namespace/name`, with endpoints that refer to `workloads`. */
export function readServices(
  document: DestinationDocument,
  workloads: ReadonlyMap<string, FileWorkload>,
  context: ReadContext,
): Map<string, FileService> {
  const services = new Map<string, FileService>();
  for (const [key, entry] of Object.entries(document.services ?? {})) {
    const path = ['services', key];
    const clusterIPs = (entry.clusterIPs ?? []).flatMap(
      (text, i) => readAddress(text, [...path, 'clusterIPs', i], context) ?? [],
    );
    const ports = new Map<number, FileServicePort>();
    for (const [portKey, port] of Object.entries(entry.ports)) {
      const reader = new EndpointReader(workloads, Number(portKey), context);
      const endpoints = reader.readAll(port.endpoints ?? [], [...path, 'ports', portKey, 'endpoints']);
      // Clients that look into the bytes of an opaque endpoint may wait for ever for what it never says first.
      const opaque = port.opaque ?? endpoints.some(({ endpoint }) => endpoint.opaque);
      ports.set(Number(portKey), { opaque, endpoints });
    }
    services.set(key, { ...splitName(key), clusterIPs, ports });
  }
  return services;
}

/** Reads the endpoints of one service port. */
class EndpointReader {
  readonly #workloads: ReadonlyMap<string, FileWorkload>;
  readonly #servicePort: number;
  readonly #context: ReadContext;

  constructor(workloads: ReadonlyMap<string, FileWorkload>, servicePort: number, context: ReadContext) {
    this.#workloads = workloads;
    this.#servicePort = servicePort;
    this.#context = context;
  }

  readAll(entries: readonly EndpointEntry[], path: FieldPath): NamedEndpoint[] {
    const seen = new Set<string>();
    return entries.flatMap((entry, i) => {
      const at = [...path, i];
      const read = 'workload' in entry ? this.#ofWorkload(entry, at) : this.#ofAddress(entry, at);
      if (read === undefined) return [];
      const key = endpointKey(read.endpoint);
      if (seen.has(key)) this.#context.problems.add(at, `expected each endpoint once, got ${key} again`);
      seen.add(key);
      return [read];
    });
  }

  #ofWorkload(entry: WorkloadEndpointEntry, path: FieldPath): NamedEndpoint | undefined {
    const workload = this.#workloads.get(entry.workload);
    const address = workload?.addresses[0];
    if (workload === undefined) {
      const message = `expected a workload of this file, got ${quoted(entry.workload)}`;
      this.#context.problems.add([...path, 'workload'], message);
    }
    if (workload === undefined || address === undefined) return undefined;
    const { port = this.#servicePort, weight = DEFAULT_WEIGHT } = entry;
    return { endpoint: endpointAt(workload, address, port, weight), hostname: workload.name, path };
  }

  #ofAddress(entry: AddressEndpointEntry, path: FieldPath): NamedEndpoint | undefined {
    const address = readAddress(entry.address, [...path, 'address'], this.#context);
    const identity = this.#identity(entry, path);
    this.#checkProxyFields(entry, path);
    checkReservedLabels(entry.labels, [...path, 'labels'], this.#context);
    if (address === undefined) return undefined;
    const {
      port = this.#servicePort,
      weight = DEFAULT_WEIGHT,
      inboundPort,
      opaque = false,
      zone,
      hostname,
    } = entry;
    const labels = addressLabels(entry, identity, this.#context.domain);
    const namespace = identity?.namespace;
    return {
      endpoint: { address, port, weight, identity, inboundPort, opaque, zone, namespace, labels },
      hostname,
      path,
    };
  }

  #identity(entry: AddressEndpointEntry, path: FieldPath) {
    if (entry.serviceAccount === undefined) return undefined;
    const { namespace, name } = splitName(entry.serviceAccount);
    return readIdentity(namespace, name, [...path, 'serviceAccount'], this.#context);
  }

  #checkProxyFields(entry: AddressEndpointEntry, path: FieldPath): void {
    const { problems } = this.#context;
    if (entry.inboundPort !== undefined && entry.serviceAccount === undefined) {
      problems.add(
        [...path, 'inboundPort'],
        'expected serviceAccount beside it: a proxy must prove who it is',
      );
    }
    if (entry.opaque === true && entry.serviceAccount !== undefined && entry.inboundPort === undefined) {
      const reason = 'mesh TLS sent to an opaque port itself would reach the application';
      problems.add([...path, 'opaque'], `expected inboundPort beside it: ${reason}`);
    }
  }
}

import { IpAddress } from '../../runtime/ip-address.ts';
import type { PortSet } from '../../runtime/port-set.ts';
import type { Endpoint, EndpointIdentity } from '../endpoint.ts';
import { DEFAULT_WEIGHT } from '../endpoint.ts';
import type { PortProtocol, Workload } from '../workload.ts';
import { endpointAt } from '../workload.ts';

export interface KubeWorkloadParts {
  readonly namespace: string;
  readonly name: string;
  readonly ips: readonly string[];
  readonly identity: EndpointIdentity | undefined;
  readonly inboundPort: number | undefined;
  readonly adminPort: number | undefined;
  readonly skippedPorts: { has(port: number): boolean };
  readonly opaquePorts: PortSet;
  readonly zone: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What a Server says of a port. */
  readonly serverProtocol: (port: number) => PortProtocol | undefined;
}

/** A pod or an external workload as something to connect to. */
export class KubeWorkload implements Workload {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  readonly identity: EndpointIdentity | undefined;
  readonly inboundPort: number | undefined;
  readonly adminPort: number | undefined;
  readonly skippedPorts: { has(port: number): boolean };
  readonly zone: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly #opaquePorts: PortSet;
  readonly #serverProtocol: (port: number) => PortProtocol | undefined;

  constructor(parts: KubeWorkloadParts) {
    this.namespace = parts.namespace;
    this.name = parts.name;
    this.addresses = parts.ips.flatMap((ip) => IpAddress.parse(ip) ?? []);
    this.identity = parts.identity;
    this.inboundPort = parts.inboundPort;
    this.adminPort = parts.adminPort;
    this.skippedPorts = parts.skippedPorts;
    this.zone = parts.zone;
    this.labels = parts.labels;
    this.#opaquePorts = parts.opaquePorts;
    this.#serverProtocol = parts.serverProtocol;
  }

  /** A Server comes before the annotation: it is what the proxy there acts on. */
  protocolOf(port: number): PortProtocol {
    return this.#serverProtocol(port) ?? (this.#opaquePorts.has(port) ? 'opaque' : 'detect');
  }

  /**
   * The endpoint at one of its ports. `undefined` where none is safe to give: an opaque port behind a proxy whose
   * inbound port cannot be told. Mesh TLS would reach the application there, and without it the bytes would be plain.
   */
  endpointAt(address: IpAddress, port: number): Endpoint | undefined {
    const endpoint = endpointAt(this, address, port, DEFAULT_WEIGHT);
    const { identity, inboundPort, opaque } = endpoint;
    return identity !== undefined && inboundPort === undefined && opaque ? undefined : endpoint;
  }
}

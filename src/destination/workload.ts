import type { Endpoint, EndpointIdentity } from './endpoint.ts';
import type { IpAddress } from '../runtime/ip-address.ts';
import type { WorkloadName } from './workload-name.ts';

/** How a proxy reads what arrives at a port: sniff it, leave it alone, mesh TLS then leave it alone, or one HTTP version. */
export type PortProtocol = 'detect' | 'opaque' | 'tls' | 'http1' | 'http2' | 'grpc';

/** What destination knows of one workload, from whatever source. */
export interface Workload extends WorkloadName {
  readonly addresses: readonly IpAddress[];
  /** `undefined` when no proxy of this mesh stands in front of it. */
  readonly identity: EndpointIdentity | undefined;
  /** The proxy's inbound listener, which takes connections with a transport header. */
  readonly inboundPort: number | undefined;
  /** The proxy's admin server: it ends mesh TLS by itself and takes no transport header. */
  readonly adminPort: number | undefined;
  /** Ports that bypass the proxy, so nothing there can prove an identity. */
  readonly skippedPorts: { has(port: number): boolean };
  readonly zone: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  protocolOf(port: number): PortProtocol;
}

const HTTP: ReadonlySet<PortProtocol> = new Set<PortProtocol>(['http1', 'http2', 'grpc']);

/**
 * A workload's port as clients are told of it (contract 4.5). Two rules keep both data planes working: a port that
 * bypasses the proxy names no identity, else clients would speak TLS to the application; and a port whose policy is
 * one HTTP version is dialled directly, for a raw transport header to it is always denied (contract 3.4).
 */
export function endpointAt(workload: Workload, address: IpAddress, port: number, weight: number): Endpoint {
  const protocol = workload.protocolOf(port);
  const identity = workload.skippedPorts.has(port) ? undefined : workload.identity;
  const ownPort = port === workload.inboundPort || port === workload.adminPort;
  const direct = identity === undefined || ownPort || HTTP.has(protocol);
  return {
    address,
    port,
    weight,
    identity,
    inboundPort: direct ? undefined : workload.inboundPort,
    opaque: protocol === 'opaque',
    zone: workload.zone,
    namespace: workload.namespace,
    labels: workload.labels,
  };
}

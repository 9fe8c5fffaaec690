import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { IpAddress } from '../runtime/ip-address.ts';
import { socketText } from '../runtime/ip-address.ts';

/** The weight of an endpoint that names none; others are relative to it (contract 4.5). */
export const DEFAULT_WEIGHT = 10_000;

/** A name of another kind than this mesh gives: what a machine outside the cluster proves (contract 3.9). */
export interface UriIdentity {
  readonly uri: string;
  /** What to ask for in the handshake, for a URI cannot be. */
  readonly serverName: string;
}

export type EndpointIdentity = WorkloadIdentity | UriIdentity;

/** The one name that a peer's certificate must hold. */
export function nameOf(identity: EndpointIdentity): string {
  return 'uri' in identity ? identity.uri : identity.dnsName;
}

/** One place to connect to, and what must be proven there. Immutable. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly weight: number;
  /** Who the far side must prove to be. `undefined`: nothing in front of it speaks mesh TLS. */
  readonly identity: EndpointIdentity | undefined;
  /** Port of the proxy's inbound listener, to be dialled with a transport header instead of `port`. */
  readonly inboundPort: number | undefined;
  /** Whether clients must not look into the bytes (server speaks first, or a protocol of its own). */
  readonly opaque: boolean;
  readonly zone: string | undefined;
  /** The namespace of the workload, where it is known. */
  readonly namespace: string | undefined;
  /** Metric labels that do not depend on who asks. */
  readonly labels: Readonly<Record<string, string>>;
}

/** An address nothing is known of: passed through, no identity. */
export function bareEndpoint(address: IpAddress, port: number): Endpoint {
  return {
    address,
    port,
    weight: DEFAULT_WEIGHT,
    identity: undefined,
    inboundPort: undefined,
    opaque: false,
    zone: undefined,
    namespace: undefined,
    labels: {},
  };
}

/** What tells two endpoints of a set apart. */
export function endpointKey(endpoint: Endpoint): string {
  return socketText(endpoint.address, endpoint.port);
}

/** Whether a client would be told the same of both. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a === b ||
    (endpointKey(a) === endpointKey(b) &&
      a.weight === b.weight &&
      sameIdentity(a.identity, b.identity) &&
      a.inboundPort === b.inboundPort &&
      a.opaque === b.opaque &&
      a.zone === b.zone &&
      a.namespace === b.namespace &&
      sameLabels(a.labels, b.labels))
  );
}

/** Equal where both must prove the same name and are asked for by the same. */
export function sameIdentity(a: EndpointIdentity | undefined, b: EndpointIdentity | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return nameOf(a) === nameOf(b) && serverNameOf(a) === serverNameOf(b);
}

/** What to ask for in the handshake. */
export function serverNameOf(identity: EndpointIdentity): string {
  return 'uri' in identity ? identity.serverName : identity.dnsName;
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

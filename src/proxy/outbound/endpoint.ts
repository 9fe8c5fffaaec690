import type { TcpAddress, WeightedAddr } from '../../rpc/destination-api.ts';
import { fromIPAddress } from '../../rpc/ip-message.ts';
import { isDnsName } from '../../runtime/dns-names.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';

/** How the bytes to one endpoint are protected (contract 3.6 and 4.2). */
export type EndpointSecurity =
  /** Discovery names no identity: plain TCP to the endpoint's own port. */
  | { readonly kind: 'plain'; readonly reason: 'not_provided_by_service_discovery' | 'loopback' }
  | MeshSecurity
  /** Discovery names an identity that cannot be proven: the endpoint is never dialled. */
  | { readonly kind: 'refused'; readonly problem: string };

export interface MeshSecurity {
  readonly kind: 'mesh';
  /** DNS name or URI which the peer's certificate must carry, byte for byte. */
  readonly identity: string;
  /** SNI to send. */
  readonly serverName: string;
  /** Port to dial: the peer proxy's inbound port with a header, the endpoint's own port without. */
  readonly port: number;
  /** Transport header to send; the connection then must have selected its ALPN (contract 3.5). */
  readonly header: { readonly port: number; readonly name?: string } | undefined;
}

/** One address a target may be reached at, as discovery described it. */
export interface Endpoint {
  /** `10.0.0.1:80` or `[fd00::1]:80`: what adds, removes and metrics know the endpoint by. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly security: EndpointSecurity;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Reads one address of an Add. An entry without a usable address gives undefined and is ignored,
 * as the contract asks; an entry whose identity cannot be used is kept and refused, because leaving
 * out the identity would mean plaintext to a peer that was promised mutual TLS.
 */
export function readEndpoint(
  source: WeightedAddr,
  setLabels: Readonly<Record<string, string>> = {},
): Endpoint | undefined {
  const address = readAddress(source.addr);
  if (address === undefined) return undefined;
  return {
    ...address,
    key: formatSocketAddress(address),
    security: readSecurity(source, address.port),
    labels: { ...setLabels, ...source.metricLabels },
  };
}

/** The address of an Add, a Remove or a profile; undefined where it holds no IP or no usable port. */
export function readAddress(source: TcpAddress | undefined): SocketAddress | undefined {
  const ip = fromIPAddress(source?.ip);
  if (source === undefined || ip === undefined || !isPort(source.port)) return undefined;
  return { host: ip.toString(), port: source.port };
}

function readSecurity(source: WeightedAddr, port: number): EndpointSecurity {
  const authority = source.authorityOverride?.authorityOverride;
  if (source.tlsIdentity === undefined) {
    return authority === undefined || authority === ''
      ? { kind: 'plain', reason: 'not_provided_by_service_discovery' }
      : { kind: 'refused', problem: 'a gateway endpoint without an identity' };
  }
  const names = readNames(source.tlsIdentity);
  if (typeof names === 'string') return { kind: 'refused', problem: names };
  const inboundPort = source.protocolHint?.opaqueTransport?.inboundPort;
  const direct = inboundPort !== undefined && isPort(inboundPort) && inboundPort < 65535;
  const header = readHeader(authority, direct, port);
  if (typeof header === 'string') return { kind: 'refused', problem: header };
  return { kind: 'mesh', ...names, port: direct ? inboundPort : port, header };
}

function readNames(
  identity: NonNullable<WeightedAddr['tlsIdentity']>,
): { identity: string; serverName: string } | string {
  const serverName = identity.serverName?.name;
  if (serverName !== undefined && !isDnsName(serverName)) return 'a server name that is not a DNS name';
  const strategy = identity.strategy;
  if (strategy === undefined) return 'an identity of an unknown kind';
  if (strategy.$case === 'dnsLikeIdentity') {
    const { name } = strategy.value;
    return isDnsName(name)
      ? { identity: name, serverName: serverName ?? name }
      : 'an identity that is not a DNS name';
  }
  const { uri } = strategy.value;
  if (serverName === undefined) return 'a URI identity without a server name';
  return URL.canParse(uri) ? { identity: uri, serverName } : 'an identity that is not a URI';
}

function readHeader(
  authority: string | undefined,
  direct: boolean,
  port: number,
): MeshSecurity['header'] | string {
  if (authority === undefined || authority === '') return direct ? { port } : undefined;
  const colon = authority.lastIndexOf(':');
  const name = authority.slice(0, colon);
  const authorityPort = Number(authority.slice(colon + 1));
  if (colon < 1 || !isDnsName(name) || !isPort(authorityPort)) {
    return 'an authority override that is not name:port';
  }
  return { port: authorityPort, name };
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65536;
}

import type { ProtocolHint, TlsIdentity, WeightedAddr } from '../rpc/destination-api.ts';
import type { Endpoint } from './endpoint.ts';
import { serverNameOf } from './endpoint.ts';
import { toTcpAddress } from '../rpc/ip-message.ts';

/**
 * An endpoint as a proxy in `clientZone` is told of it (contract 4.5). There is never an `h2` hint: it would make
 * clients carry HTTP/1 inside HTTP/2, which a proxy that copies bytes cannot undo (contract 3.7).
 */
export function toWeightedAddr(endpoint: Endpoint, clientZone: string | undefined): WeightedAddr {
  return {
    addr: toTcpAddress(endpoint.address, endpoint.port),
    weight: endpoint.weight,
    metricLabels: metricLabels(endpoint, clientZone),
    tlsIdentity: toTlsIdentity(endpoint),
    protocolHint: toProtocolHint(endpoint),
  };
}

function metricLabels(endpoint: Endpoint, clientZone: string | undefined): Record<string, string> {
  const labels = { ...endpoint.labels, zone_locality: locality(endpoint.zone, clientZone) };
  return endpoint.zone === undefined ? labels : { ...labels, zone: endpoint.zone };
}

function locality(zone: string | undefined, clientZone: string | undefined): string {
  if (zone === undefined || clientZone === undefined) return 'unknown';
  return zone === clientZone ? 'local' : 'remote';
}

/** The server name is given although it may be left out for a DNS identity: then nothing is left to be guessed. */
function toTlsIdentity({ identity }: Endpoint): TlsIdentity | undefined {
  if (identity === undefined) return undefined;
  const serverName = { name: serverNameOf(identity) };
  return 'uri' in identity
    ? { strategy: { $case: 'uriLikeIdentity', value: { uri: identity.uri } }, serverName }
    : { strategy: { $case: 'dnsLikeIdentity', value: serverName }, serverName };
}

function toProtocolHint(endpoint: Endpoint): ProtocolHint | undefined {
  if (!endpoint.opaque && endpoint.inboundPort === undefined) return undefined;
  return {
    protocol: endpoint.opaque ? { $case: 'opaque', value: {} } : undefined,
    opaqueTransport: endpoint.inboundPort === undefined ? undefined : { inboundPort: endpoint.inboundPort },
  };
}

import { DestinationProfile, Update, WeightedAddr } from '../../../../src/rpc/destination-api.ts';

export const apiIdentity = 'api.shop.serviceaccount.identity.kedge.cluster.local';

/** The host-order number of a dotted address. */
function ipv4(address: string): number {
  return address.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
}

function tcpAddress(address: string, port: number) {
  return { ip: { ip: { $case: 'ipv4' as const, value: ipv4(address) } }, port };
}

function addressOf(text: string) {
  const [host = '', port = ''] = text.split(':');
  return tcpAddress(host, Number(port));
}

type Parts = Partial<Omit<WeightedAddr, 'addr'>>;

/** An address as discovery sends it: `at('10.0.0.1:80')` is unmeshed, `meshed('10.0.0.1:80')` names an identity. */
export function at(text: string, parts: Parts = {}): WeightedAddr {
  return { ...WeightedAddr.fromPartial({}), addr: addressOf(text), ...parts };
}

export function meshed(text: string, parts: Parts = {}): WeightedAddr {
  return at(text, { tlsIdentity: dnsIdentity(apiIdentity), ...parts });
}

export function dnsIdentity(name: string, serverName?: string) {
  return {
    strategy: { $case: 'dnsLikeIdentity' as const, value: { name } },
    ...(serverName !== undefined && { serverName: { name: serverName } }),
  };
}

export function uriIdentity(uri: string, serverName?: string) {
  return {
    strategy: { $case: 'uriLikeIdentity' as const, value: { uri } },
    ...(serverName !== undefined && { serverName: { name: serverName } }),
  };
}

export function add(...addrs: WeightedAddr[]): Update {
  return Update.fromPartial({ update: { $case: 'add', value: { addrs } } });
}

export function remove(...texts: string[]): Update {
  return Update.fromPartial({ update: { $case: 'remove', value: { addrs: texts.map(addressOf) } } });
}

export function noEndpoints(exists: boolean): Update {
  return Update.fromPartial({ update: { $case: 'noEndpoints', value: { exists } } });
}

/** The profile of a service: the name to ask for. */
export function profileOf(fullyQualifiedName: string): DestinationProfile {
  return DestinationProfile.fromPartial({ fullyQualifiedName });
}

/** The profile of one endpoint. */
export function profileWith(endpoint: WeightedAddr): DestinationProfile {
  return DestinationProfile.fromPartial({ endpoint });
}

import { IpAddress } from '../runtime/ip-address.ts';
import { IpNetwork } from '../runtime/ip-network.ts';
import type { IPAddress, IPNetwork, TcpAddress } from './gen/io/linkerd/proxy/net/net.ts';

const LOW_64 = (1n << 64n) - 1n;

/** An address as the wire has it: IPv4 in host order, IPv6 in two halves (contract 4.1). Zero is still present. */
export function toIPAddress(address: IpAddress): IPAddress {
  if (address.family === 4) return { ip: { $case: 'ipv4', value: Number(address.value) } };
  return { ip: { $case: 'ipv6', value: { first: address.value >> 64n, last: address.value & LOW_64 } } };
}

export function toTcpAddress(address: IpAddress, port: number): TcpAddress {
  return { ip: toIPAddress(address), port };
}

/** The address of a message; `undefined` where it holds none. */
export function fromIPAddress(message: IPAddress | undefined): IpAddress | undefined {
  const ip = message?.ip;
  if (ip === undefined) return undefined;
  if (ip.$case === 'ipv4') return IpAddress.of(4, BigInt(ip.value));
  return IpAddress.of(6, (ip.value.first << 64n) | ip.value.last);
}

export function toIPNetwork({ address, prefixLength }: IpNetwork): IPNetwork {
  return { ip: toIPAddress(address), prefixLen: prefixLength };
}

/** The network of a message; `undefined` where it holds no address, or one that has no such prefix. */
export function fromIPNetwork({ ip, prefixLen }: IPNetwork): IpNetwork | undefined {
  const address = fromIPAddress(ip);
  const mapped = address?.family === 4 && ip?.ip?.$case === 'ipv6';
  return address && IpNetwork.of(address, prefixLen - (mapped ? 96 : 0));
}

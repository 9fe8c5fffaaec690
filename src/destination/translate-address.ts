import type { IPAddress, TcpAddress } from '../rpc/destination-api.ts';
import type { IpAddress } from './ip-address.ts';

const LOW_64 = (1n << 64n) - 1n;

/** An address as the wire has it: IPv4 in host order, IPv6 in two halves (contract 4.1). Zero is still present. */
export function toIPAddress(address: IpAddress): IPAddress {
  if (address.family === 4) return { ip: { $case: 'ipv4', value: Number(address.value) } };
  return { ip: { $case: 'ipv6', value: { first: address.value >> 64n, last: address.value & LOW_64 } } };
}

export function toTcpAddress(address: IpAddress, port: number): TcpAddress {
  return { ip: toIPAddress(address), port };
}

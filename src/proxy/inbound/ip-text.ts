import { SocketAddress } from 'node:net';

import type { IPAddress } from '../../rpc/inbound-policy-api.ts';

/** An address of the wire (contract 4.1) as text; undefined where the message holds none. */
export function ipText({ ip }: IPAddress): string | undefined {
  if (ip === undefined) return undefined;
  if (ip.$case === 'ipv4') return [24, 16, 8, 0].map((shift) => (ip.value >>> shift) & 0xff).join('.');
  const hex = ip.value.first.toString(16).padStart(16, '0') + ip.value.last.toString(16).padStart(16, '0');
  const groups = Array.from({ length: 8 }, (_, at) => hex.slice(4 * at, 4 * at + 4));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

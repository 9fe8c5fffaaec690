import { isIPv4 } from 'node:net';
import { formatSocketAddress, type SocketAddress } from './socket-address.ts';

/** The address of a listener, and the setting it comes from. */
export type ListenerAddress = readonly [setting: string, address: SocketAddress];

/**
 * Tells `problem` of each address that cannot be bound beside one before it. Port 0 is another port each time. What
 * else holds a port of this machine is seen only when it is bound.
 */
export function checkListenerAddresses(
  listeners: readonly ListenerAddress[],
  problem: (setting: string, expected: string, got: string) => void,
): void {
  const taken: ListenerAddress[] = [];
  for (const [setting, address] of listeners.filter(([, { port }]) => port !== 0)) {
    const [other, theirs] = taken.find(([, each]) => overlap(each, address)) ?? [];
    if (theirs !== undefined) {
      const got = `${formatSocketAddress(address)}, which overlaps with ${other}, ${formatSocketAddress(theirs)}`;
      problem(setting, 'an address that no other listener has', got);
    }
    taken.push([setting, address]);
  }
}

/** Whether one of them cannot be bound beside the other; `::` takes the IPv4 addresses with it. */
function overlap(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && (covers(a.host, b.host) || covers(b.host, a.host));
}

function covers(wide: string, host: string): boolean {
  return wide === host || wide === '::' || (wide === '0.0.0.0' && isIPv4(host));
}

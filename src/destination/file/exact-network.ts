import { IpAddress } from '../../runtime/ip-address.ts';
import { IpNetwork } from '../../runtime/ip-network.ts';
import { quoted } from '../../runtime/quoted.ts';

/**
 * Reads a network that means what it says; what is wrong is returned as a sentence. A prefix length is needed, and
 * bits set beyond it are refused: `10.1.2.3/8` is far more likely a slip for `/32` than a way to write `10.0.0.0/8`.
 */
export function parseExactNetwork(text: string): IpNetwork | string {
  const network = IpNetwork.parse(text);
  if (network === undefined) return `expected ${expectation(text)}, got ${quoted(text)}`;
  if (!text.includes('/'))
    return `expected a prefix length, got ${quoted(text)}; one address is ${network.toString()}`;
  return network.hasHostBits ? `expected no address bits beyond the prefix, got ${quoted(text)}` : network;
}

function expectation(text: string): string {
  const [address = '', ...lengths] = text.split('/');
  if (lengths.length !== 1 || IpAddress.parse(address) === undefined) return 'a network like 10.0.0.0/8';
  return `a prefix length from 0 to ${address.includes(':') ? 128 : 32}`;
}

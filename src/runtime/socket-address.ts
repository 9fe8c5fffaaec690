import { isIP, isIPv4, isIPv6 } from 'node:net';
import { isDnsName } from './dns-names.ts';

export interface SocketAddress {
  /** An IP address, without brackets, or a DNS name in lower case, perhaps with a dot at its end. */
  readonly host: string;
  /** 0 to 65535; 0 asks the system for a free port. */
  readonly port: number;
}

const hostAndPort = /^(?:\[([^\]]+)\]|([^[\]:]+)):(\d{1,5})$/;

/** `10.0.0.1:80`, `[::1]:80` or `name:80`. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, bracketed, bare, digits] = hostAndPort.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65535)) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  const host = bare?.toLowerCase();
  return host !== undefined && isHost(host) ? { host, port } : undefined;
}

export function formatSocketAddress({ host, port }: SocketAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address of this machine's loopback. `localhost.` counts only with its dot, as in contract 2.3. */
export function isLoopback(host: string): boolean {
  return isIP(host) === 0 ? host === 'localhost.' : isIPv4(host) ? host.startsWith('127.') : host === '::1';
}

/** A last label of digits alone makes a name a (wrong) IPv4 address, never a DNS name. */
function isHost(host: string): boolean {
  if (isIPv4(host)) return true;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return isDnsName(name) && !/(^|\.)\d+$/.test(name);
}

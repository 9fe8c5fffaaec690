import { IpNetwork } from './ip-network.ts';
import { isDnsLabel, isDnsName } from './dns-names.ts';
import { formatDuration, parseGoDuration, parseProxyDuration } from './durations.ts';
import { PortSet } from './port-set.ts';
import { parseSocketAddress, type SocketAddress } from './socket-address.ts';

/** A kind of text and the value it stands for. */
export interface Format<T> {
  /** Completes "expected ...". */
  readonly expected: string;
  /** undefined where the text is not of this kind. */
  parse(text: string): T | undefined;
}

/** Inclusive bounds. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export const textFormat: Format<string> = {
  expected: 'a text',
  parse: (text) => text,
};

export const filledTextFormat: Format<string> = {
  expected: 'a text that is not blank',
  parse: (text) => (text.trim() === '' ? undefined : text),
};

export const booleanFormat: Format<boolean> = {
  expected: '"true" or "false"',
  parse: (text) => booleans.get(text.trim()),
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

export const ratioFormat: Format<number> = {
  expected: 'a number from 0 to 1',
  parse: (text) => (/^\d+(\.\d+)?$/.test(text.trim()) && Number(text) <= 1 ? Number(text) : undefined),
};

export const socketAddressFormat: Format<SocketAddress> = {
  expected: 'an address such as "10.0.0.1:8080", "[::1]:8080" or "name:8080"',
  parse: (text) => parseSocketAddress(text.trim()),
};

/** Port 0 is for listeners: nobody can connect to it. */
export const remoteAddressFormat: Format<SocketAddress> = {
  expected: 'an address to connect to such as "10.0.0.1:8080", "[::1]:8080" or "name:8080"',
  parse: (text) => {
    const address = parseSocketAddress(text.trim());
    return address?.port === 0 ? undefined : address;
  },
};

export const cidrFormat: Format<IpNetwork> = {
  expected: 'a network such as "10.0.0.0/8" or "fd00::/8"',
  parse: (text) => IpNetwork.parse(text.trim()),
};

export const portSetFormat: Format<PortSet> = {
  expected: 'ports and ranges of ports such as "80,8000-8010"',
  parse: (text) => PortSet.parse(text),
};

export const dnsNameFormat: Format<string> = {
  expected: 'a DNS name in lower case such as "cluster.local"',
  parse: (text) => (isDnsName(text.trim()) ? text.trim() : undefined),
};

export const dnsLabelFormat: Format<string> = {
  expected: 'a DNS label in lower case such as "kedge"',
  parse: (text) => (isDnsLabel(text.trim()) ? text.trim() : undefined),
};

export const pathFormat: Format<string> = {
  expected: 'the path of a file or directory',
  parse: (text) => (text.trim() === '' || text.includes('\0') ? undefined : text),
};

export const urlFormat: Format<URL> = {
  expected: 'a URL that begins with https:// or http:// and holds no user name or password',
  parse: (text) => {
    const url = URL.parse(text.trim());
    const plain = url?.username === '' && url.password === '' && /^https?:$/.test(url.protocol);
    return plain ? url : undefined;
  },
};

export function integerFormat({ min = Number.MIN_SAFE_INTEGER, max }: Bounds = {}): Format<number> {
  const upTo = max ?? Number.MAX_SAFE_INTEGER;
  return {
    expected: `an integer${boundsText(min === Number.MIN_SAFE_INTEGER ? undefined : min, max, String)}`,
    parse: (text) => (/^-?\d+$/.test(text.trim()) ? within(Number(text), min, upTo) : undefined),
  };
}

/** Milliseconds, written as Go writes durations. */
export function durationFormat({ min, max }: Bounds = {}): Format<number> {
  return {
    expected: `a duration such as "24h0m0s" or "20s"${boundsText(min, max, formatDuration)}`,
    parse: (text) => within(parseGoDuration(text.trim()), min, max),
  };
}

/** Milliseconds, written in the grammar of the proxy's environment (contract 2.3). */
export function proxyDurationFormat({ min, max }: Bounds = {}): Format<number> {
  return {
    expected: `a duration such as "10s" or "300ms"${boundsText(min, max, formatDuration)}`,
    parse: (text) => within(parseProxyDuration(text), min, max),
  };
}

export function oneOfFormat<const V extends string>(values: readonly V[]): Format<V> {
  return {
    expected: values.map((value) => `"${value}"`).join(' or '),
    parse: (text) => values.find((value) => value === text.trim()),
  };
}

/** Items separated by commas; empty ones are passed over, since templates leave them behind. */
export function listFormat<T>(item: Format<T>): Format<readonly T[]> {
  return {
    expected: `a list separated by commas, each item ${item.expected}`,
    parse: (text) => {
      const items = text.split(',').map((part) => part.trim());
      const values = items.filter((part) => part !== '').map((part) => item.parse(part));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
  };
}

function within(value: number | undefined, min = -Infinity, max = Infinity): number | undefined {
  return value !== undefined && min <= value && value <= max ? value : undefined;
}

function boundsText(
  min: number | undefined,
  max: number | undefined,
  show: (value: number) => string,
): string {
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return ` of at least ${show(min)}`;
  return max === undefined ? '' : ` of at most ${show(max)}`;
}

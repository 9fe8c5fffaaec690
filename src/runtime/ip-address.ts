import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** What the upper 96 bits of an IPv4-mapped IPv6 address are (RFC 4291 2.5.5.2). */
const MAPPED_V4 = 0xffffn;

/** An IP address as a number with its one canonical spelling. IPv4-mapped IPv6 addresses become IPv4. */
export class IpAddress {
  readonly family: 4 | 6;
  /** The address as an unsigned number of 32 or 128 bits, first octet most significant. */
  readonly value: bigint;
  readonly #text: string;

  private constructor(family: 4 | 6, value: bigint, text: string) {
    this.family = family;
    this.value = value;
    this.#text = text;
  }

  /** Reads dotted IPv4 or IPv6 (no brackets, no zone). Anything else gives `undefined`. */
  static parse(text: string): IpAddress | undefined {
    if (isIPv4(text)) return new IpAddress(4, octets(text), text);
    if (!isIPv6(text) || text.includes('%')) return undefined;
    const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
    const value = hextets(canonical);
    return isMapped(value) ? IpAddress.of(6, value) : new IpAddress(6, value, canonical);
  }

  /** The address of that number; bits beyond the width of the family do not count. */
  static of(family: 4 | 6, value: bigint): IpAddress {
    if (family === 6 && !isMapped(value)) {
      const number = BigInt.asUintN(128, value);
      return new IpAddress(6, number, canonicalText(number));
    }
    const v4 = BigInt.asUintN(32, value);
    return new IpAddress(4, v4, [24n, 16n, 8n, 0n].map((shift) => (v4 >> shift) & 0xffn).join('.'));
  }

  /** Bits in an address of this family: 32 or 128. */
  get bits(): number {
    return this.family === 4 ? 32 : 128;
  }

  equals(other: IpAddress): boolean {
    return this.family === other.family && this.value === other.value;
  }

  toString(): string {
    return this.#text;
  }
}

/** `host:port` with the brackets that IPv6 needs; also the key of an endpoint in its set. */
export function socketText(address: IpAddress, port: number): string {
  return address.family === 4 ? `${address.toString()}:${port}` : `[${address.toString()}]:${port}`;
}

function isMapped(value: bigint): boolean {
  return value >> 32n === MAPPED_V4;
}

function canonicalText(value: bigint): string {
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

function octets(text: string): bigint {
  return text.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

/** The value of canonical IPv6 text, in which `::` may stand for zeros and the last 32 bits may be dotted. */
function hextets(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  if (tail === undefined) return join(front);
  const back = groups(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0n);
  return join([...front, ...zeros, ...back]);
}

function groups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const v4 = octets(group);
    return [v4 >> 16n, v4 & 0xffffn];
  });
}

function join(parts: readonly bigint[]): bigint {
  return parts.reduce((sum, part) => (sum << 16n) | part, 0n);
}

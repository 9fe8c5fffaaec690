import { BlockList, isIP } from 'node:net';

/** A network of IP addresses. An IPv4 network also holds its addresses in their IPv6-mapped form. */
export class Cidr {
  readonly address: string;
  readonly prefixLength: number;
  readonly #block = new BlockList();

  private constructor(address: string, prefixLength: number, family: 'ipv4' | 'ipv6') {
    this.address = address;
    this.prefixLength = prefixLength;
    this.#block.addSubnet(address, prefixLength, family);
  }

  /** `10.0.0.0/8`, `fd00::/8`, or one address for a network of it alone; bits beyond the prefix do not count. */
  static parse(text: string): Cidr | undefined {
    const [address = '', length, ...rest] = text.split('/');
    const family = address.includes('%') ? 0 : isIP(address);
    if (family === 0 || rest.length > 0) return undefined;
    const bits = family === 4 ? 32 : 128;
    const prefixLength = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
    return prefixLength <= bits ? new Cidr(address, prefixLength, family === 4 ? 'ipv4' : 'ipv6') : undefined;
  }

  contains(ip: string): boolean {
    const family = isIP(ip);
    return family !== 0 && this.#block.check(ip, family === 4 ? 'ipv4' : 'ipv6');
  }

  toString(): string {
    return `${this.address}/${this.prefixLength}`;
  }
}

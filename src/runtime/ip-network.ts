import { IpAddress } from './ip-address.ts';

/** A block of addresses: `10.0.0.0/8`, `fd00::/8`. No IPv4 address is in an IPv6 network, however large. */
export class IpNetwork {
  /** As given: bits beyond the prefix do not count, but may be set. */
  readonly address: IpAddress;
  readonly prefixLength: number;

  private constructor(address: IpAddress, prefixLength: number) {
    this.address = address;
    this.prefixLength = prefixLength;
  }

  /** Every IPv4 address, then every IPv6 address. */
  static everywhere(): IpNetwork[] {
    return [new IpNetwork(IpAddress.of(4, 0n), 0), new IpNetwork(IpAddress.of(6, 0n), 0)];
  }

  /** `undefined` where the address has no such prefix. */
  static of(address: IpAddress, prefixLength: number): IpNetwork | undefined {
    const fits = Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= address.bits;
    return fits ? new IpNetwork(address, prefixLength) : undefined;
  }

  /** `address/length`, or one address for a network of it alone. IPv4 in IPv6 notation is read as IPv4. */
  static parse(text: string): IpNetwork | undefined {
    const [addressText = '', length, ...more] = text.split('/');
    const address = IpAddress.parse(addressText);
    if (address === undefined || more.length > 0) return undefined;
    if (length === undefined) return new IpNetwork(address, address.bits);
    if (!/^\d{1,3}$/.test(length)) return undefined;
    const mapped = address.family === 4 && addressText.includes(':');
    return IpNetwork.of(address, Number(length) - (mapped ? 96 : 0));
  }

  /** Whether the address lies in this network. The zone of a link-local one (`fe80::1%eth0`) does not matter. */
  contains(ip: string): boolean {
    const address = IpAddress.parse(ip.split('%', 1)[0] ?? '');
    return address !== undefined && this.#holds(address);
  }

  /** Whether every address of `other` lies in this network. */
  covers(other: IpNetwork): boolean {
    return other.prefixLength >= this.prefixLength && this.#holds(other.address);
  }

  /** Whether bits of the address are set that do not count. */
  get hasHostBits(): boolean {
    return this.address.value !== this.#prefixOf(this.address) << this.#hostBits;
  }

  toString(): string {
    return `${this.address.toString()}/${this.prefixLength}`;
  }

  #holds(address: IpAddress): boolean {
    return address.family === this.address.family && this.#prefixOf(address) === this.#prefixOf(this.address);
  }

  #prefixOf(address: IpAddress): bigint {
    return address.value >> this.#hostBits;
  }

  get #hostBits(): bigint {
    return BigInt(this.address.bits - this.prefixLength);
  }
}

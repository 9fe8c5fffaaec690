import { IpAddress } from './ip-address.ts';

/** A block of addresses: `10.0.0.0/8`, `fd00::/8`. */
export class IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;

  private constructor(address: IpAddress, prefixLength: number) {
    this.address = address;
    this.prefixLength = prefixLength;
  }

  /** Every IPv4 address, then every IPv6 address. */
  static everywhere(): IpNetwork[] {
    return ['0.0.0.0/0', '::/0'].map((text) => {
      const network = IpNetwork.parse(text);
      if (typeof network === 'string') throw new RangeError(network);
      return network;
    });
  }

  /**
   * Reads `address/length`. What is wrong is returned as a sentence. Bits set beyond the prefix are refused:
   * `10.1.2.3/8` is far more likely a slip for `/32` than a way to write `10.0.0.0/8`.
   */
  static parse(text: string): IpNetwork | string {
    const [addressText = '', lengthText, ...more] = text.split('/');
    const address = IpAddress.parse(addressText);
    if (address === undefined || more.length > 0) return `expected a network like 10.0.0.0/8, got "${text}"`;
    if (lengthText === undefined)
      return `expected a prefix length, got "${text}"; one address is ${text}/${address.bits}`;
    const length = Number(lengthText);
    if (!/^\d{1,3}$/.test(lengthText) || length > address.bits) {
      return `expected a prefix length from 0 to ${address.bits}, got "${text}"`;
    }
    const network = new IpNetwork(address, length);
    if ((address.value & network.#hostMask()) === 0n) return network;
    return `expected no address bits beyond the prefix, got "${text}"`;
  }

  /** Whether every address of `other` lies in this network. */
  contains(other: IpNetwork): boolean {
    if (other.address.family !== this.address.family || other.prefixLength < this.prefixLength) return false;
    return (other.address.value & ~this.#hostMask()) === this.address.value;
  }

  toString(): string {
    return `${this.address.toString()}/${this.prefixLength}`;
  }

  #hostMask(): bigint {
    return (1n << BigInt(this.address.bits - this.prefixLength)) - 1n;
  }
}

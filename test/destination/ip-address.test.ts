import * as fc from 'fast-check';
import { IpAddress, socketText } from '../../src/destination/ip-address.ts';
import { IpNetwork } from '../../src/destination/ip-network.ts';
import { toIPAddress } from '../../src/destination/translate-address.ts';

function network(text: string): IpNetwork {
  const parsed = IpNetwork.parse(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('IpAddress', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', 0x0a000001n],
    ['0.0.0.0', '0.0.0.0', 0n],
    ['::', '::', 0n],
    ['::1', '::1', 1n],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 0x20010db8_00000000_00010000_00000001n],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', 0x00010002_00030004_00050006_00070008n],
    ['fd00::', 'fd00::', 0xfd00n << 112n],
    ['::ffff:192.0.2.7', '192.0.2.7', 0xc0000207n],
  ])('reads %s', (text, canonical, value) => {
    const address = IpAddress.parse(text);
    expect(address?.toString()).toBe(canonical);
    expect(address?.value).toBe(value);
  });

  it.each([
    [''],
    ['10.0.0'],
    ['10.0.0.256'],
    ['01.2.3.4'],
    ['fe80::1%eth0'],
    ['[::1]'],
    ['::1::2'],
    ['localhost'],
  ])('does not read %j', (text) => {
    expect(IpAddress.parse(text)).toBeUndefined();
  });

  it('gives IPv4 in host order and IPv6 in two halves, zero included', () => {
    const wire = (text: string) => toIPAddress(IpAddress.parse(text)!).ip;
    expect(wire('10.0.0.1')).toEqual({ $case: 'ipv4', value: 0x0a000001 });
    expect(wire('255.255.255.255')).toEqual({ $case: 'ipv4', value: 0xffffffff });
    expect(wire('0.0.0.0')).toEqual({ $case: 'ipv4', value: 0 });
    expect(wire('2001:db8::1')).toEqual({ $case: 'ipv6', value: { first: 0x20010db800000000n, last: 1n } });
  });

  it('keeps addresses apart by value and together by any spelling', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = IpAddress.parse(text)!;
        const again = IpAddress.parse(address.toString())!;
        expect(again.equals(address)).toBe(true);
        expect(again.toString()).toBe(address.toString());
        expect(socketText(address, 1).startsWith('[')).toBe(address.family === 6);
      }),
      { numRuns: 300 },
    );
  });
});

describe('IpNetwork', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['0.0.0.0/0', '192.0.2.1/32', true],
    ['::/0', '192.0.2.1/32', false],
    ['fd00::/8', 'fd12::/16', true],
  ])('%s holds %s: %s', (outer, inner, expected) => {
    expect(network(outer).contains(network(inner))).toBe(expected);
  });

  it.each([
    ['10.0.0.1', 'expected a prefix length, got "10.0.0.1"; one address is 10.0.0.1/32'],
    ['10.0.0.0/33', 'expected a prefix length from 0 to 32, got "10.0.0.0/33"'],
    ['10.0.0.0/', 'expected a prefix length from 0 to 32, got "10.0.0.0/"'],
    ['10.1.2.3/8', 'expected no address bits beyond the prefix, got "10.1.2.3/8"'],
    ['fd00::1/64', 'expected no address bits beyond the prefix, got "fd00::1/64"'],
    ['wat/8', 'expected a network like 10.0.0.0/8, got "wat/8"'],
    ['10.0.0.0/8/8', 'expected a network like 10.0.0.0/8, got "10.0.0.0/8/8"'],
  ])('refuses %s', (text, message) => {
    expect(IpNetwork.parse(text)).toBe(message);
  });
});

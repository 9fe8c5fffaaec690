import { IpAddress, socketText } from '../../src/runtime/ip-address.ts';

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

  it('stands in brackets before a port when it is IPv6', () => {
    expect(socketText(IpAddress.parse('10.0.0.1')!, 1)).toBe('10.0.0.1:1');
    expect(socketText(IpAddress.parse('FD00:0::1')!, 1)).toBe('[fd00::1]:1');
  });

  it('is the same by its number as by its text', () => {
    expect(IpAddress.of(6, 0xffffc0000207n).toString()).toBe('192.0.2.7');
  });
});

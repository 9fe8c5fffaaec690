import { IpNetwork } from '../../src/runtime/ip-network.ts';

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/31', '192.0.2.1', true],
    ['10.0.0.0/8', '::ffff:10.1.1.1', true],
    ['10.0.0.0/8', '::ffff:11.1.1.1', false],
    ['10.0.0.0/8', '::1', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['::/0', 'fe80::1', true],
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['10.0.0.0/8', 'no address', false],
  ])('%s: whether it contains %s is %s', (network, ip, contained) => {
    expect(IpNetwork.parse(network)!.contains(ip)).toBe(contained);
  });

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['0.0.0.0/0', '192.0.2.1/32', true],
    ['::/0', '192.0.2.1/32', false],
    ['fd00::/8', 'fd12::/16', true],
  ])('%s: whether it covers %s is %s', (outer, inner, expected) => {
    expect(IpNetwork.parse(outer)!.covers(IpNetwork.parse(inner)!)).toBe(expected);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '::/129',
    'fe80::1%eth0/64',
    'host/8',
    '10.0.0.0/8a',
    ' 10.0.0.0/8',
    '10.0.0.0/0x8',
    '::ffff:10.0.0.0/95',
  ])('is not read from %j', (text) => {
    expect(IpNetwork.parse(text)).toBeUndefined();
  });

  it('is read back from its text', () => {
    expect(IpNetwork.parse('10.1.2.3/8')!.toString()).toBe('10.1.2.3/8');
    expect(IpNetwork.parse('::1')!.toString()).toBe('::1/128');
  });
});

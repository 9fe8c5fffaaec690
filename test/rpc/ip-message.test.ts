import * as fc from 'fast-check';
import { fromIPAddress, fromIPNetwork, toIPAddress, toIPNetwork } from '../../src/rpc/ip-message.ts';
import { IpAddress } from '../../src/runtime/ip-address.ts';
import { IpNetwork } from '../../src/runtime/ip-network.ts';

describe('an address on the wire', () => {
  it('is IPv4 in host order and IPv6 in two halves, zero included', () => {
    const wire = (text: string) => toIPAddress(IpAddress.parse(text)!).ip;
    expect(wire('10.0.0.1')).toEqual({ $case: 'ipv4', value: 0x0a000001 });
    expect(wire('255.255.255.255')).toEqual({ $case: 'ipv4', value: 0xffffffff });
    expect(wire('0.0.0.0')).toEqual({ $case: 'ipv4', value: 0 });
    expect(wire('2001:db8::1')).toEqual({ $case: 'ipv6', value: { first: 0x20010db800000000n, last: 1n } });
  });

  it('is read back as it was', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = IpAddress.parse(text)!;
        expect(fromIPAddress(toIPAddress(address))!.toString()).toBe(address.toString());
      }),
      { numRuns: 300 },
    );
  });

  it('is none where the message holds none', () => {
    expect([fromIPAddress(undefined), fromIPAddress({})]).toEqual([undefined, undefined]);
  });
});

describe('a network on the wire', () => {
  it.each(['10.0.0.0/8', '0.0.0.0/0', '192.0.2.1/32', '::/0', 'fd00::/8'])(
    'is read back as it was: %s',
    (text) => {
      expect(fromIPNetwork(toIPNetwork(IpNetwork.parse(text)!))!.toString()).toBe(text);
    },
  );

  it('of IPv4 in IPv6 notation is the network of IPv4', () => {
    const ip = { ip: { $case: 'ipv6' as const, value: { first: 0n, last: 0xffff_0a00_0000n } } };
    expect(fromIPNetwork({ ip, prefixLen: 104 })!.toString()).toBe('10.0.0.0/8');
    expect(fromIPNetwork({ ip, prefixLen: 95 })).toBeUndefined();
  });

  it.each([
    [{ prefixLen: 8 }],
    [{ ip: { ip: { $case: 'ipv4' as const, value: 0 } }, prefixLen: 33 }],
    [{ ip: { ip: { $case: 'ipv6' as const, value: { first: 0n, last: 0n } } }, prefixLen: 129 }],
  ])('is none where the prefix does not fit the address: %#', (message) => {
    expect(fromIPNetwork(message)).toBeUndefined();
  });
});

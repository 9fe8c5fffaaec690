import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { IpAddress } from '../../../src/runtime/ip-address.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';
import { textsLike } from '../mutate/texts.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

interface Input {
  readonly address: string;
  /** An address beside it: this one with a bit turned over, or another text. */
  readonly other: number | string;
  readonly length: number;
}

const words = ['10', '0', '255', '256', '.', ':', '::', 'ffff', '1.2.3.4', '/', '%eth0', '00'];
const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV6().map((ip) => ip.toUpperCase()),
    ),
  },
  { weight: 1, arbitrary: fc.ipV4().map((ip) => `::ffff:${ip}`) },
  { weight: 1, arbitrary: textsLike(['10.0.0.1', 'fd00::1', '::ffff:10.0.0.1'], words) },
);

/** Addresses are the ones Node knows, one spelling for each; a network holds what Node's own list says it holds. */
export const ipAddressTarget = fuzzTarget<Input>({
  name: 'ip-address',
  file: 'runtime/ip-address.ts',
  inputs: fc.record({ address: text, other: fc.oneof(fc.nat(127), text), length: fc.nat(128) }),
  check: ({ address, other, length }) => {
    const one = IpAddress.parse(address);
    assert.equal(one !== undefined, isIP(address) !== 0 && !address.includes('%'));
    if (one === undefined) return 'refused';
    const again = IpAddress.parse(one.toString());
    assert.ok(again?.equals(one) === true && again.toString() === one.toString());
    assert.equal(IpAddress.of(one.family, one.value).toString(), one.toString());
    return compared(one, besides(one, other), length);
  },
});

function compared(one: IpAddress, other: IpAddress | undefined, length: number): Outcome {
  const network = IpNetwork.of(one, length);
  assert.equal(network !== undefined, length <= one.bits);
  if (network === undefined || other === undefined) return accepted;
  const list = new BlockList();
  list.addSubnet(one.toString(), length, one.family === 4 ? 'ipv4' : 'ipv6');
  const theirs =
    one.family === other.family && list.check(other.toString(), other.family === 4 ? 'ipv4' : 'ipv6');
  assert.equal(network.contains(other.toString()), theirs);
  return accepted;
}

function besides({ family, value, bits }: IpAddress, other: number | string): IpAddress | undefined {
  if (typeof other === 'string') return IpAddress.parse(other);
  return IpAddress.of(family, value ^ (1n << BigInt(other % bits)));
}

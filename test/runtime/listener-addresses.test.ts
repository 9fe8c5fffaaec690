import { checkListenerAddresses } from '../../src/runtime/listener-addresses.ts';
import { parseSocketAddress } from '../../src/runtime/socket-address.ts';

function problemsOf(...addresses: string[]): string[] {
  const told: string[] = [];
  const listeners = addresses.map((text, i) => [`L${i}`, parseSocketAddress(text)!] as const);
  checkListenerAddresses(listeners, (name, expected, got) => told.push(`${name}: ${expected}: ${got}`));
  return told;
}

describe('the addresses of listeners', () => {
  it.each([
    [['127.0.0.1:80', '127.0.0.1:81']],
    [['127.0.0.1:80', '127.0.0.2:80']],
    [['127.0.0.1:80', '[::1]:80']],
    [['0.0.0.0:80', '[::1]:80']],
    [['0.0.0.0:0', '0.0.0.0:0']],
  ])('may stand beside each other: %j', (addresses) => {
    expect(problemsOf(...addresses)).toEqual([]);
  });

  it.each([
    ['127.0.0.1:80', '127.0.0.1:80'],
    ['127.0.0.1:80', '0.0.0.0:80'],
    ['0.0.0.0:80', '127.0.0.1:80'],
    ['[::]:80', '127.0.0.1:80'],
    ['[::1]:80', '[::]:80'],
    ['0.0.0.0:80', '[::]:80'],
  ])('overlap: %s and %s', (first, second) => {
    expect(problemsOf(first, second)).toEqual([
      `L1: an address that no other listener has: ${second}, which overlaps with L0, ${first}`,
    ]);
  });
});

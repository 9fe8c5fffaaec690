import { setImmediate as nextLook } from 'node:timers/promises';
import { Turns } from '../../src/runtime/turns.ts';

function take(turns: Turns, names: string): string[] {
  const gone: string[] = [];
  for (const name of names) void turns.next().then(() => gone.push(name));
  return gone;
}

describe('Turns', () => {
  it('lets the first few go at once, and a few more after each look at the network, in order', async () => {
    const gone = take(new Turns(2), 'abcde');
    await Promise.resolve();
    expect(gone.join('')).toBe('ab');
    await nextLook();
    expect(gone.join('')).toBe('abcd');
    await nextLook();
    expect(gone.join('')).toBe('abcde');
  });

  it('lets those who come later go at once when nobody waits any more', async () => {
    const turns = new Turns(2);
    const before = take(turns, 'abc');
    for (let look = 0; look < 3; look += 1) await nextLook();
    expect(before.join('')).toBe('abc');
    const gone = take(turns, 'de');
    await Promise.resolve();
    expect(gone.join('')).toBe('de');
  });

  it('puts who comes while others wait behind them', async () => {
    const turns = new Turns(1);
    const gone: string[] = [];
    for (const name of 'abc') void turns.next().then(() => gone.push(name));
    await nextLook();
    void turns.next().then(() => gone.push('d'));
    for (let look = 0; look < 4; look += 1) await nextLook();
    expect(gone.join('')).toBe('abcd');
  });
});

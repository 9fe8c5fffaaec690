import { Newcomers } from '../../src/proxy/newcomers.ts';

describe('newcomers', () => {
  function three() {
    const ended: string[] = [];
    const newcomers = new Newcomers(3);
    const come = (name: string): (() => void) => newcomers.add({ end: () => ended.push(name) });
    return { ended, come };
  }

  it('may be as many as the limit', () => {
    const { ended, come } = three();
    for (const name of ['a', 'b', 'c']) come(name);
    expect(ended).toEqual([]);
  });

  it('beyond the limit end the one that has taken longest', () => {
    const { ended, come } = three();
    for (const name of ['a', 'b', 'c', 'd', 'e']) come(name);
    expect(ended).toEqual(['a', 'b']);
  });

  it('that said what they want take no room any more', () => {
    const { ended, come } = three();
    const settled = come('a');
    for (const name of ['b', 'c']) come(name);
    settled();
    come('d');
    expect(ended).toEqual([]);
    come('e');
    expect(ended).toEqual(['b']);
  });
});

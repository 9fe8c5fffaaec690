import { Newcomers } from '../../src/proxy/newcomers.ts';

describe('newcomers', () => {
  function three() {
    const ended: string[] = [];
    const newcomers = new Newcomers(3);
    const come = (name: string): (() => void) => newcomers.add({ end: () => ended.push(name) });
    return { ended, come, newcomers };
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

  it('are all ended at once when they are told to, and those that come later are not', () => {
    const { ended, come, newcomers } = three();
    for (const name of ['a', 'b']) come(name);
    newcomers.endAll();
    for (const name of ['c', 'd', 'e']) come(name);
    expect(ended).toEqual(['a', 'b']);
  });
});

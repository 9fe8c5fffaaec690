import fc from 'fast-check';
import { PortSet } from '../../src/runtime/port-set.ts';

describe('a set of ports', () => {
  it.each([
    ['', ''],
    ['80', '80'],
    ['80,443', '80,443'],
    ['443, 80 ', '80,443'],
    ['100-110', '100-110'],
    ['100-100', '100'],
    ['80,100-110,105-120,121', '80,100-121'],
    ['1-65535,80', '1-65535'],
    ['80,,443,', '80,443'],
  ])('read from %j is %j', (text, canonical) => {
    expect(PortSet.parse(text)?.toString()).toBe(canonical);
  });

  it.each([
    '0',
    '65536',
    '80-',
    '-80',
    '110-100',
    '0-10',
    '1-65536',
    'http',
    '80 81',
    '8o',
    '1-2-3',
    '+80',
    '080000',
  ])('is not read from %j', (text) => {
    expect(PortSet.parse(text)).toBeUndefined();
  });

  it('knows, counts and lists just its ports', () => {
    const port = fc.integer({ min: 1, max: 300 });
    const ranges = fc.array(fc.tuple(port, port), { maxLength: 8 });
    fc.assert(
      fc.property(ranges, (pairs) => {
        const expected = new Set<number>();
        const items = pairs.map(([a, b]) => {
          const [first, last] = [Math.min(a, b), Math.max(a, b)];
          for (let p = first; p <= last; p++) expected.add(p);
          return first === last ? `${first}` : `${first}-${last}`;
        });
        const set = PortSet.parse(items.join(','))!;
        expect([...set]).toEqual([...expected].sort((a, b) => a - b));
        expect(set.size).toBe(expected.size);
        const known = Array.from({ length: 302 }, (_, port) => port).filter((port) => set.has(port));
        expect(known).toEqual([...set]);
        expect(PortSet.parse(set.toString())!.toString()).toBe(set.toString());
      }),
      { numRuns: 200 },
    );
  });
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { targets } from './targets.ts';

const source = path.join(import.meta.dirname, '..', '..', 'src');

describe('the parsers of what comes from outside', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    'keep their word, whatever comes: %s',
    async (_name, target) => {
      const property = fc.asyncProperty(target.inputs, async (input) => {
        await target.check(input);
      });
      await fc.assert(property, { numRuns: 100 });
    },
  );

  it('have names of their own, and stand where they are said to', () => {
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
    for (const { file } of targets) expect(readFileSync(path.join(source, file), 'utf8')).toContain('export');
  });

  it('take the first bytes of a search by coverage', () => {
    for (const { explore } of targets) for (const seed of explore?.seeds ?? []) explore?.check(seed);
  });
});

import type { Exploration } from '../target.ts';
import type { BlockCounter } from './explore.ts';
import { explore } from './explore.ts';
import { shrink } from './shrink.ts';

const WORD = 'KEDGE';

/** A parser with a fault behind five comparisons, each a block of its own that is counted by hand. */
function faulty(): { target: Exploration; counter: BlockCounter } {
  const counts = new Map<number, number>();
  const target: Exploration = {
    files: ['faulty.ts'],
    seeds: [Buffer.from('hello')],
    shape: 'bytes',
    check: (bytes) => {
      for (const [i, letter] of Buffer.from(WORD).entries()) {
        if (bytes[i] !== letter) return 'refused';
        counts.set(i, (counts.get(i) ?? 0) + 1);
      }
      throw new TypeError('the fault');
    },
  };
  const take = (): ReturnType<BlockCounter['take']> => {
    const blocks = [...counts].map(([start, count]) => ({ start, end: WORD.length, count }));
    counts.clear();
    return new Map([['faulty.ts', [blocks]]]);
  };
  return { target, counter: { take } };
}

describe('a search by coverage', () => {
  it('finds a fault that no blind search would', () => {
    const { target, counter } = faulty();
    const { finding, blocks } = explore(target, counter, { executions: 2_000_000, seed: 1 });
    expect(finding?.input.toString('latin1')).toMatch(/^KEDGE/);
    expect(finding?.error).toBeInstanceOf(TypeError);
    expect(blocks).toBeGreaterThanOrEqual(WORD.length - 1);
  });

  it('is the same again for the same seed, and another one for another', () => {
    const search = (seed: number): unknown => {
      const { target, counter } = faulty();
      return explore(target, counter, { executions: 20_000, seed });
    };
    expect(search(5)).toEqual(search(5));
    expect(search(5)).not.toEqual(search(6));
  });

  it('ends when it is told to', () => {
    const { target, counter } = faulty();
    const { executions } = explore(target, counter, { executions: 300, seed: 1, onExecution: () => true });
    expect(executions).toBeLessThanOrEqual(301);
  });
});

describe('an input that is made shorter', () => {
  it('keeps only what the fault needs', () => {
    const input = Buffer.from('much before X much between Y much behind');
    const fails = (bytes: Buffer): boolean => /X.*Y/.test(bytes.toString());
    expect(shrink(input, fails).toString()).toBe('XY');
  });
});

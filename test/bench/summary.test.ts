import fc from 'fast-check';
import type { Comparison } from '../../bench/part.ts';
import { median, summarise } from '../../bench/summary.ts';

const comparison = (different: Partial<Comparison>): Comparison => ({
  measure: 'bulk',
  against: 'haproxy',
  unit: 'MB/s',
  rounds: [],
  ...different,
});

/** Rounds in which the other side always had 100. */
const rounds = (...ours: number[]): Comparison['rounds'] => ours.map((value) => ({ ours: value, peer: 100 }));

describe('a summary of rounds', () => {
  it('compares round by round, since only both sides of one saw the same machine', () => {
    const slowSecondRound = [
      { ours: 80, peer: 100 },
      { ours: 20, peer: 25 },
      { ours: 90, peer: 100 },
    ];
    expect(summarise(comparison({ rounds: slowSecondRound }))).toMatchObject({
      median: 0.8,
      least: 0.8,
      most: 0.9,
      ours: 80,
      peer: 100,
    });
  });

  it('takes the difference where a ratio would say nothing', () => {
    const memory = comparison({ rounds: rounds(140, 150, 160), as: 'difference' });
    expect(summarise(memory)).toMatchObject({ median: 50, least: 40, most: 60 });
  });

  it.each([
    ['at least 0.5', 'least', 0.5, 55, 'met'],
    ['at least 0.5', 'least', 0.5, 50, 'met'],
    ['at least 0.5', 'least', 0.5, 43, 'within 15 %'],
    ['at least 0.5', 'least', 0.5, 42, 'missed'],
    ['at most 2', 'most', 2, 200, 'met'],
    ['at most 2', 'most', 2, 229, 'within 15 %'],
    ['at most 2', 'most', 2, 231, 'missed'],
  ] as const)('judges a floor of %s (%s %d) of ours %d as %s', (_, at, value, ours, verdict) => {
    expect(summarise(comparison({ rounds: rounds(ours), floor: { at, value } })).verdict).toBe(verdict);
  });

  it('judges nothing without a floor, and what was not measured as missed', () => {
    expect(summarise(comparison({ rounds: rounds(1) })).verdict).toBeUndefined();
    expect(summarise(comparison({ floor: { at: 'least', value: 0.1 } })).verdict).toBe('missed');
  });

  it('has as many rounds at or below its median as at or above it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value <= middle).length;
        const above = values.filter((value) => value >= middle).length;
        return Math.min(below, above) * 2 >= values.length;
      }),
    );
  });
});

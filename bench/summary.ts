import type { Comparison } from './part.ts';

/** A comparison over all its rounds. */
export interface Summary {
  /** Medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  /** Of each round ours over theirs, or ours less theirs: the median of these, the least and the most. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Whether the median keeps to the floor; undefined where there is none. */
  readonly verdict: 'met' | 'within 15 %' | 'missed' | undefined;
}

/** Two runs of one machine differ by about this much. */
const tolerance = 0.15;

/** Both sides of a round saw the same machine, so rounds are compared one by one and not by their medians. */
export function summarise({ rounds, as = 'ratio', floor }: Comparison): Summary {
  const compared = rounds.map(({ ours, peer }) => (as === 'ratio' ? ours / peer : ours - peer));
  const middle = median(compared);
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    peer: median(rounds.map(({ peer }) => peer)),
    median: middle,
    least: Math.min(...compared),
    most: Math.max(...compared),
    verdict: floor === undefined ? undefined : judge(middle, floor),
  };
}

function judge(value: number, { at, value: floor }: NonNullable<Comparison['floor']>): Summary['verdict'] {
  const keeps = (limit: number): boolean => (at === 'least' ? value >= limit : value <= limit);
  if (keeps(floor)) return 'met';
  return keeps(at === 'least' ? floor * (1 - tolerance) : floor * (1 + tolerance)) ? 'within 15 %' : 'missed';
}

/** Of an even number the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}

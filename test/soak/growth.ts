/** What one process holds at one moment: bytes, and open descriptors. */
export interface Sample {
  readonly atMs: number;
  /** The JavaScript heap after a garbage collection, with the buffers outside it. */
  readonly heap: number;
  readonly resident: number;
  readonly descriptors: number;
}

/** What is judged of a process, with how much more of it at the end is no growth yet. */
export const measures = {
  heap: { floor: 6 * 2 ** 20, share: 0.05 },
  resident: { floor: 16 * 2 ** 20, share: 0.1 },
  descriptors: { floor: 8, share: 0.1 },
} as const;
export type Measure = keyof typeof measures;

/** Of one measure: its level in the earlier and in the later part of the time that is judged. */
export interface Growth {
  readonly before: number;
  readonly after: number;
  readonly grows: boolean;
}

/** One sample says nothing of a level. */
const leastSamples = 2;

/**
 * Compares the two halves of the time from `fromMs` on. The level of each is its lower quartile: requests under way only ever
 * add to what a process holds, and a leak lifts what it holds without them. Undefined where there are too few samples.
 */
export function growthOf(
  samples: readonly Sample[],
  measure: Measure,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Growth | undefined {
  const middle = (fromMs + toMs) / 2;
  const values = (from: number, to: number): number[] =>
    samples.filter(({ atMs }) => atMs >= from && atMs < to).map((sample) => sample[measure]);
  const [before, after] = [lowerQuartile(values(fromMs, middle)), lowerQuartile(values(middle, toMs))];
  if (before === undefined || after === undefined) return undefined;
  const { floor, share } = measures[measure];
  return { before, after, grows: after - before > Math.max(floor, share * before) };
}

function lowerQuartile(values: readonly number[]): number | undefined {
  if (values.length < leastSamples) return undefined;
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)];
}

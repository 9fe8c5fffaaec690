import { measures } from './growth.ts';
import type { Measure } from './growth.ts';
import { shownGrowth } from './shown-growth.ts';
import type { ProcessReport } from './watch.ts';

/** What is wrong with a soak as a whole, besides what went wrong while it ran. */
export interface Verdict {
  readonly of: string;
  readonly what: string;
}

/**
 * Finds growth; and in a soak that was not cut short (`whole`) also what should have happened and did not, and processes that
 * could not be judged: a soak in which nothing happens shows nothing.
 */
export function judge(
  processes: readonly ProcessReport[],
  events: Readonly<Record<string, number>>,
  whole: boolean,
): Verdict[] {
  const growth = processes.flatMap(({ name, growth: of }) =>
    (Object.keys(measures) as Measure[])
      .filter((measure) => of[measure]?.grows)
      .map((measure) => ({
        of: name,
        what: `expected no growth of ${measure}, got ${shownGrowth(measure, of[measure])}`,
      })),
  );
  if (!whole) return growth;
  const missing = Object.entries(events)
    .filter(([, count]) => count === 0)
    .map(([event]) => ({ of: 'soak', what: `expected ${event}, got none` }));
  const unseen = processes
    .filter(({ growth: of }) => Object.values(of).includes(undefined))
    .map(({ name }) => ({
      of: name,
      what: 'expected enough readings of its memory to judge it, got too few',
    }));
  return [...growth, ...missing, ...unseen];
}

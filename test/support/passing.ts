import { eventually } from './eventually.ts';
import type { ManualClock } from './manual-clock.ts';

/** As `eventually`, while time passes: a second on the clock for each look. */
export function passing<T>(clock: ManualClock, check: () => T | Promise<T>): Promise<T> {
  return eventually(async () => {
    await clock.advance(1_000);
    return check();
  });
}

/** Lets the wall clock show `ms` later, or earlier, and whoever waits for a date notice it. */
export async function step(clock: ManualClock, ms: number): Promise<void> {
  clock.set(new Date(clock.now().getTime() + ms));
  await clock.advance(60_000);
}

import type { Clock } from '../../runtime/clock.ts';
import { cliErrors } from '../errors.ts';

export interface Patience {
  clock: Clock;
  /** Gives up at once when it is aborted. */
  signal: AbortSignal;
  /** What is waited for, asked when it did not come. */
  what: () => string;
  /** Half a minute unless told. */
  withinMs?: number;
}

/** Asks `check` again and again until it holds. Throws `demo_timeout` with what was waited for, or the signal's reason. */
export async function eventually(
  check: () => Promise<boolean> | boolean,
  { clock, signal, what, withinMs = 30_000 }: Patience,
): Promise<void> {
  const deadline = clock.now().getTime() + withinMs;
  while (!(await check())) {
    if (clock.now().getTime() > deadline) {
      throw cliErrors.error('demo_timeout', `waited ${withinMs / 1000} s for ${what()}`);
    }
    await clock.sleep(100, signal);
  }
}

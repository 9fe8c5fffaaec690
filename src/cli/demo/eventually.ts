import type { Clock } from '../../runtime/clock.ts';
import { cliErrors } from '../errors.ts';

/** Asks `check` again and again until it holds; fails with what was waited for after `withinMs` (half a minute unless told). */
export async function eventually(
  check: () => Promise<boolean> | boolean,
  { clock, what, withinMs = 30_000 }: { clock: Clock; what: () => string; withinMs?: number },
): Promise<void> {
  const deadline = clock.now().getTime() + withinMs;
  while (!(await check())) {
    if (clock.now().getTime() > deadline) {
      throw cliErrors.error('demo_timeout', `waited ${withinMs / 1000} s for ${what()}`);
    }
    await clock.sleep(100);
  }
}

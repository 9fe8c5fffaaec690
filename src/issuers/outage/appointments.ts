import type { Clock } from '../../runtime/clock.ts';

/** Beyond this nobody is sent, so that the book has an end. */
const longestMs = 5 * 60_000;
const shortestMs = 1_000;

/**
 * Tells those who are sent away when to come back: one after the other, as fast as they can be served, and not all at
 * once. Who cannot bear to wait for the turn comes at some time of the second half of what is bearable.
 */
export class Appointments {
  readonly #clock: Clock;
  readonly #random: () => number;
  #bookedUntilMs = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds: no sooner than `fromMs` where that can be borne, `perMs` callers in a millisecond. */
  next({ fromMs, perMs, bearableMs }: { fromMs: number; perMs: number; bearableMs: number }): number {
    const nowMs = this.#clock.now().getTime();
    // A clock that was set back leaves appointments that are years away.
    const bookedMs = Math.min(this.#bookedUntilMs, nowMs + longestMs);
    const turnMs = Math.max(bookedMs, nowMs + Math.max(fromMs, shortestMs)) + 1 / perMs;
    const waitMs = turnMs - nowMs;
    if (waitMs > bearableMs) return Math.ceil(bearableMs * (0.5 + 0.5 * this.#random()));
    this.#bookedUntilMs = turnMs;
    return Math.ceil(waitMs);
  }
}

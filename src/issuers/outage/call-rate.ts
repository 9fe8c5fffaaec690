import type { Clock } from '../../runtime/clock.ts';

/**
 * At most so many calls begin within any second. A strict count and no bucket, because a CA's own quota is one too, and
 * refuses what comes in a burst on top.
 */
export class CallRate {
  readonly #clock: Clock;
  /** When the last calls began, as many as may in a second; the oldest at `#next`. */
  readonly #begun: number[];
  #next = 0;

  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#begun = new Array<number>(perSecond).fill(-Infinity);
  }

  /** Milliseconds until the next call may begin. */
  get waitMs(): number {
    const nowMs = this.#clock.now().getTime();
    const oldestMs = this.#begun[this.#next] ?? -Infinity;
    // A clock that was set back would hold all calls until it has caught up.
    return oldestMs > nowMs ? 0 : Math.max(0, oldestMs + 1_000 - nowMs);
  }

  /** A call begins. */
  count(): void {
    this.#begun[this.#next] = this.#clock.now().getTime();
    this.#next = (this.#next + 1) % this.#begun.length;
  }
}

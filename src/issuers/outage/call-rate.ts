import type { Clock } from '../../runtime/clock.ts';

/** Longer than this no pause is, whatever the CA says: it is asked again to see whether it still says so. */
const longestPauseMs = 10_000;

/**
 * At most so many calls begin within any second, and none in a pause that the CA has asked for. A strict count and no bucket,
 * because a CA's own quota is one too, and refuses what comes in a burst on top.
 */
export class CallRate {
  readonly #clock: Clock;
  /** When the last calls began, as many as may in a second; the oldest at `#next`. None where there is no limit. */
  readonly #begun: number[];
  #next = 0;
  #pausedUntilMs = -Infinity;

  constructor(perSecond: number | undefined, clock: Clock) {
    this.#clock = clock;
    this.#begun = new Array<number>(perSecond ?? 0).fill(-Infinity);
  }

  /** Milliseconds until the next call may begin. */
  get waitMs(): number {
    const nowMs = this.#clock.now().getTime();
    const oldestMs = this.#begun[this.#next] ?? -Infinity;
    // A clock that was set back would hold all calls until it has caught up.
    const countedMs = oldestMs > nowMs ? 0 : oldestMs + 1_000 - nowMs;
    const pausedMs = Math.min(longestPauseMs, this.#pausedUntilMs - nowMs);
    return Math.max(0, countedMs, pausedMs);
  }

  /** A call begins. */
  count(): void {
    if (this.#begun.length === 0) return;
    this.#begun[this.#next] = this.#clock.now().getTime();
    this.#next = (this.#next + 1) % this.#begun.length;
  }

  /** None begins for a while. */
  pause(ms: number): void {
    const untilMs = this.#clock.now().getTime() + Math.min(longestPauseMs, ms);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs);
  }
}

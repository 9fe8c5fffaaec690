import type { Clock, Timer } from '../../runtime/clock.ts';

/** Whoever is pressed and was sent away comes back within an eighth of what is left: so long is that for two minutes. */
const settlingMs = 15_000;
const shareOfEarly = 1 / 8;

/**
 * How many calls to the CA are under way, and may be. For a while after an outage early renewals have few of them: no replica
 * knows who asks the others, and what it spends on those who have time is taken from the pressed ones elsewhere.
 */
export class Slots {
  readonly #clock: Clock;
  readonly #most: number;
  #taken = 0;
  #settling: Timer | undefined;

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** @param pressedFromMs from when on it is no early renewal any more, ms since 1970 */
  isFreeFor(pressedFromMs: number): boolean {
    const few = this.#settling !== undefined && this.#clock.now().getTime() < pressedFromMs;
    return this.#taken < (few ? Math.ceil(this.#most * shareOfEarly) : this.#most);
  }

  take(): void {
    this.#taken += 1;
  }

  release(): void {
    this.#taken -= 1;
  }

  /** An outage is over. Afterwards there may be room that there was not before. */
  settle(afterwards: () => void): void {
    this.#settling?.cancel();
    this.#settling = this.#clock.after(settlingMs, () => {
      this.#settling = undefined;
      afterwards();
    });
  }
}

import type { Clock, Timer } from '../runtime/clock.ts';

/**
 * Notices a TCP connect that neither succeeds nor fails, to an address that swallows packets. grpc-js leaves it to the
 * kernel, which gives up after two minutes, and tries no other address meanwhile. An attempt that failed is not told
 * here: the next one, which begins within grpc-js's back-off, takes its place.
 */
export class ConnectGuard {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onStuck: () => void;
  #timer: Timer | undefined;

  /** `limitMs` must be longer than the longest wait between two attempts. */
  constructor(clock: Clock, limitMs: number, onStuck: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onStuck = onStuck;
  }

  begin(): void {
    this.end();
    this.#timer = this.#clock.after(this.#limitMs, this.#onStuck);
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

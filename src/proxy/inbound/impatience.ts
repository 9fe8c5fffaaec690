import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Pausable } from '../../runtime/pausable-listener.ts';
import type { Newcomers } from '../newcomers.ts';

const patienceMs = 1000;

/**
 * Pauses with the listeners, while there are no file descriptors for more connections: those who have not shown by then who
 * they are may do so a second longer, and not until the detect timeout, since others wait for their places.
 */
export class Impatience implements Pausable {
  readonly #newcomers: Pick<Newcomers, 'endAll'>;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(newcomers: Pick<Newcomers, 'endAll'>, clock: Clock) {
    this.#newcomers = newcomers;
    this.#clock = clock;
  }

  pause(): void {
    this.#timer = this.#clock.after(patienceMs, () => this.#newcomers.endAll());
  }

  resume(): void {
    this.#timer?.cancel();
  }
}

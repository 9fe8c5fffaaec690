import type { Clock } from '../../runtime/clock.ts';

export interface CallWait {
  readonly signal: AbortSignal;
  readonly withinMs: number;
  /** What the wait rejects with when it takes longer. */
  readonly late: () => Error;
}

/**
 * Lets so many calls be under way at a time. Node's own agent has such a line too, but makes a connection for each call that
 * has left it while waiting: ten thousand that were given up would become ten thousand connections.
 */
export class CallSlots {
  #free: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(count: number, clock: Clock) {
    this.#free = count;
    this.#clock = clock;
  }

  /** Runs when its turn has come, in the order of asking; rejects when the wait takes too long or the signal is aborted. */
  async run<T>(wait: CallWait, work: () => Promise<T>): Promise<T> {
    wait.signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(wait);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #turn({ signal, withinMs, late }: CallWait): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(go);
      };
      const go = (): void => {
        settle();
        resolve();
      };
      const abort = (): void => {
        settle();
        reject(signal.reason as Error);
      };
      const timer = this.#clock.after(withinMs, () => {
        settle();
        reject(late());
      });
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(go);
    });
  }

  /** The slot goes to the next that waits, or is free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    next();
  }
}

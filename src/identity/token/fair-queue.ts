export interface FairQueueLimits {
  /** How much work is under way at once. */
  readonly atOnce: number;
  /** How much may wait, for everybody and for one key. */
  readonly waiting: number;
  readonly waitingPerKey: number;
}

interface Waiter {
  readonly begin: () => void;
}

/**
 * Work of many keys with a bound on how much is done at once. Keys take turns, so that one with much to do holds up
 * its own work and not that of others.
 */
export class FairQueue {
  readonly #limits: FairQueueLimits;
  /** In the order of the turns. */
  readonly #waiting = new Map<string, Waiter[]>();
  #waitingCount = 0;
  #running = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  /**
   * Does the work when its turn has come. Rejects with `signal.reason` when aborted before that.
   *
   * @param full makes the error to reject with where too much waits already
   */
  async run<T>(key: string, signal: AbortSignal, full: () => Error, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running >= this.#limits.atOnce) await this.#turn(key, signal, full);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#handOver();
    }
  }

  #turn(key: string, signal: AbortSignal, full: () => Error): Promise<void> {
    const { waiting, waitingPerKey } = this.#limits;
    const line = this.#waiting.get(key) ?? [];
    if (this.#waitingCount >= waiting || line.length >= waitingPerKey) return Promise.reject(full());
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#remove(key, waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      line.push(waiter);
      this.#waiting.set(key, line);
      this.#waitingCount += 1;
    });
  }

  /** The place of finished work goes to the key whose turn it is, which then stands behind all others. */
  #handOver(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    const [key, line] = next;
    const waiter = line[0];
    if (waiter !== undefined) this.#remove(key, waiter);
    if (line.length > 0) {
      this.#waiting.delete(key);
      this.#waiting.set(key, line);
    }
    waiter?.begin();
  }

  #remove(key: string, waiter: Waiter): void {
    const line = this.#waiting.get(key) ?? [];
    line.splice(line.indexOf(waiter), 1);
    this.#waitingCount -= 1;
    if (line.length === 0) this.#waiting.delete(key);
  }
}

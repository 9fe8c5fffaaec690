/**
 * Lets work of this process's one thread go on a few pieces at a time, with a look at the network after each few. What comes in
 * one burst would otherwise be done to the end while whoever is asked over the network next has nothing to do.
 */
export class Turns {
  readonly #atATime: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atATime: number) {
    this.#atATime = atATime;
    this.#free = atATime;
  }

  /** Resolves at once for the first few since the network was looked at, and in the order of the calls for the others. */
  next(): Promise<void> {
    if (this.#free === this.#atATime) setImmediate(() => this.#renew());
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#serve();
    });
  }

  #serve(): void {
    for (; this.#free > 0 && this.#waiting.length > 0; this.#free -= 1) this.#waiting.shift()?.();
  }

  #renew(): void {
    this.#free = this.#atATime;
    this.#serve();
    if (this.#free < this.#atATime) setImmediate(() => this.#renew());
  }
}

/** What is ended to make room. */
export interface Newcomer {
  end(): void;
}

/**
 * Clients that have not shown yet who they are and what they want. That takes an honest one milliseconds and costs
 * nobody anything to put off, so beyond a number of them the one that has taken longest has to go.
 */
export class Newcomers {
  readonly #limit: number;
  readonly #waiting = new Set<Newcomer>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns the way to say that it is none any more. */
  add(newcomer: Newcomer): () => void {
    this.#waiting.add(newcomer);
    if (this.#waiting.size > this.#limit) this.#endOldest();
    return () => void this.#waiting.delete(newcomer);
  }

  /** Ends all that are here now. */
  endAll(): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const newcomer of all) newcomer.end();
  }

  #endOldest(): void {
    for (const oldest of this.#waiting) {
      this.#waiting.delete(oldest);
      oldest.end();
      return;
    }
  }
}

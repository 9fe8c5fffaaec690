/** Before the first answer came. */
const assumedMs = 50;
/** How much the newest answer counts. */
const weight = 0.1;

/** How fast the CA gets through what it is asked, by what its answers took of late and what it may be asked at all. */
export class Throughput {
  readonly #concurrency: number;
  readonly #ratePerMs: number;
  #typicalMs = assumedMs;

  constructor(concurrency: number, ratePerSecond = Infinity) {
    this.#concurrency = concurrency;
    this.#ratePerMs = ratePerSecond / 1_000;
  }

  /** An answer, or that there was none, took so long. */
  took(ms: number): void {
    this.#typicalMs += weight * (Math.max(1, ms) - this.#typicalMs);
  }

  /** As before the first answer. */
  forget(): void {
    this.#typicalMs = assumedMs;
  }

  /** Answers in a millisecond. */
  get perMs(): number {
    return Math.min(this.#ratePerMs, this.#concurrency / this.#typicalMs);
  }
}

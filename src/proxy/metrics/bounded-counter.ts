import type { Labels } from '../../runtime/metrics.ts';

/** More than an honest mesh needs of one metric, and still a small part of a scrape. */
const maxSeries = 1024;

/**
 * A counter whose labels hold what peers send. They cannot fill the memory with it: beyond a number of label sets, the
 * one that was counted least recently is shown no longer.
 */
export class BoundedCounter<L extends string> {
  readonly #counter: { inc(labels: Labels<L>): void; remove(labels: Labels<L>): void };
  /** In the order of their last use. */
  readonly #shown = new Map<string, Labels<L>>();

  constructor(counter: { inc(labels: Labels<L>): void; remove(labels: Labels<L>): void }) {
    this.#counter = counter;
  }

  inc(labels: Labels<L>): void {
    const key = Object.values(labels).join('\0');
    this.#shown.delete(key);
    this.#shown.set(key, labels);
    this.#counter.inc(labels);
    if (this.#shown.size > maxSeries) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [key, labels] of this.#shown) {
      this.#shown.delete(key);
      this.#counter.remove(labels);
      return;
    }
  }
}

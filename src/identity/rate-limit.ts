import type { Clock } from '../runtime/clock.ts';

/** A bucket fills with `perSecond` tokens a second up to `burst`; each request takes one. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was true. */
  atMs: number;
}

/**
 * Token buckets by key. Memory is bounded: past `maxKeys` the bucket that was touched longest ago is forgotten,
 * which can only make it full again. So a flood of keys frees nobody of the limit that stands above this one.
 */
export class RateLimit {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock, maxKeys = 20_000) {
    this.#rate = rate;
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  /** Takes one token: 0 where there was one, otherwise the milliseconds until there will be. */
  take(key: string): number {
    const bucket = this.#filled(key);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget(bucket.atMs);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1000) / this.#rate.perSecond);
    bucket.tokens -= 1;
    return 0;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #filled(key: string): Bucket {
    const nowMs = this.#clock.now().getTime();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rate.burst, atMs: nowMs };
    // A clock that was set back fills nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + (elapsedMs * this.#rate.perSecond) / 1000);
    bucket.atMs = nowMs;
    return bucket;
  }

  /** Full buckets say nothing, so the two oldest go when they are full: more than come in. */
  #forget(nowMs: number): void {
    const fullAfterMs = (this.#rate.burst * 1000) / this.#rate.perSecond;
    let looked = 0;
    for (const [key, { atMs }] of this.#buckets) {
      const isFull = nowMs - atMs >= fullAfterMs;
      if (this.#buckets.size <= this.#maxKeys && (!isFull || looked === 2)) return;
      this.#buckets.delete(key);
      looked += 1;
    }
  }
}

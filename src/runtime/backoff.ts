import type { Clock } from './clock.ts';
import { isAppError } from './errors.ts';

/** Waits that grow from `minMs` by `factor` (2) up to `maxMs`, each prolonged by a random part of up to `jitter` (0.1). */
export interface BackoffPolicy {
  readonly minMs: number;
  readonly maxMs: number;
  readonly factor?: number;
  /** A share of the wait, 0 to 1, so that many who failed together do not come back together. */
  readonly jitter?: number;
}

/** The waits after failures in a row. */
export class Backoff {
  readonly #policy: Required<BackoffPolicy>;
  readonly #random: () => number;
  #baseMs: number;

  constructor(policy: BackoffPolicy, random: () => number = Math.random) {
    const full = { factor: 2, jitter: 0.1, ...policy };
    const sound = full.minMs > 0 && full.maxMs >= full.minMs && full.factor >= 1;
    if (!sound || full.jitter < 0 || full.jitter > 1) {
      throw new RangeError('expected 0 < minMs <= maxMs, factor >= 1 and jitter from 0 to 1');
    }
    this.#policy = full;
    this.#random = random;
    this.#baseMs = full.minMs;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const baseMs = this.#baseMs;
    this.#baseMs = Math.min(baseMs * this.#policy.factor, this.#policy.maxMs);
    return baseMs * (1 + this.#policy.jitter * this.#random());
  }

  /** An attempt succeeded: the next wait is the shortest again. */
  reset(): void {
    this.#baseMs = this.#policy.minMs;
  }
}

export interface RetryOptions {
  readonly policy: BackoffPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly random?: () => number;
  /** Told of each failure that will be tried again, with the wait before that. */
  readonly onFailure?: (error: unknown, delayMs: number) => void;
  /** Whether to try again after this error; always, unless given. */
  readonly retryable?: (error: unknown) => boolean;
}

/**
 * Attempts until one succeeds, with growing waits, never shorter than an error's own `retryAfterMs`.
 * Rejects with an error that is not retryable, or with `signal.reason` once the signal is aborted.
 */
export async function retry<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { clock, signal, retryable = () => true } = options;
  const backoff = new Backoff(options.policy, options.random);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!retryable(error)) throw error;
      const delayMs = Math.max(backoff.next(), (isAppError(error) && error.retryAfterMs) || 0);
      options.onFailure?.(error, delayMs);
      await clock.sleep(delayMs, signal);
    }
  }
}

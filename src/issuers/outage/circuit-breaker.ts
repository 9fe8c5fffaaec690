import { Backoff, type BackoffPolicy } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';

export type BreakerState =
  | { readonly state: 'closed' }
  | {
      /** Open: nobody is let through. Half-open: a few are, to see whether it is over. */
      readonly state: 'open' | 'half-open';
      /** When it left off being closed, however often it was half-open since. */
      readonly since: Date;
      /** What the last call failed with. */
      readonly reason: string;
    };

export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Calls at a time while it is half-open; as many successes in a row close it. */
  readonly probes: number;
  /** How long it stays open before the next probes. */
  readonly pause: BackoffPolicy;
  /** Where nobody asks any more after one success, it closes after so long without a failure. */
  readonly quietMs: number;
}

/** One call that was let through. Exactly one of these ends it; what comes later counts no more. */
export interface WatchedCall {
  succeeded(): void;
  failed(reason: string): void;
  /** It says nothing of the other side: the caller went away. */
  dropped(): void;
}

export interface BreakerOptions {
  readonly clock: Clock;
  readonly random?: () => number;
  readonly policy?: BreakerPolicy;
}

/** Seconds, so that the end of an outage is noticed at once by whoever is pressed; and a cap, so that it is noticed. */
const usual: BreakerPolicy = {
  failures: 5,
  probes: 2,
  pause: { minMs: 1_000, maxMs: 2_000, jitter: 0.5 },
  quietMs: 10_000,
};

/**
 * Keeps calls from a service that does not answer: after some failures in a row none gets through for a while, then a few
 * probes at a time, and all again when as many of these have succeeded, or one has and no other was asked for.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #policy: BreakerPolicy;
  readonly #pause: Backoff;
  readonly #state = new LatestValue<BreakerState>({ state: 'closed' });
  /** Calls that began in an earlier period than this one say nothing of the present. */
  #period = 0;
  #failures = 0;
  #successes = 0;
  #probing = 0;
  /** When the next probe may begin, on a clock of its own: a wall clock that is set back must not keep it open. */
  #pausedUntilMs = 0;
  #pauseOver = true;

  constructor({ clock, random, policy = usual }: BreakerOptions) {
    this.#clock = clock;
    this.#policy = policy;
    this.#pause = new Backoff(policy.pause, random);
  }

  get state(): Latest<BreakerState> {
    return this.#state;
  }

  /** Whether a call may begin now. */
  get admits(): boolean {
    const { state } = this.#state.value;
    if (state === 'closed') return true;
    return state === 'open' ? this.#pauseOver : this.#probing < this.#policy.probes;
  }

  /** Milliseconds until the next probe may begin; 0 where that is not a question of time. */
  get waitMs(): number {
    if (this.#pauseOver) return 0;
    return Math.max(0, this.#pausedUntilMs - this.#clock.now().getTime());
  }

  /** Begins a call. Only where it `admits` one. */
  begin(): WatchedCall {
    const before = this.#state.value;
    if (before.state === 'open') {
      this.#successes = 0;
      this.#enter({ ...before, state: 'half-open' });
    }
    const period = this.#period;
    if (before.state !== 'closed') this.#probing += 1;
    let ended = false;
    const end = (then: () => void) => (): void => {
      if (ended || period !== this.#period) return;
      ended = true;
      if (this.#state.value.state === 'half-open') this.#probing -= 1;
      then();
    };
    return {
      succeeded: end(() => this.#succeeded()),
      failed: (reason) => end(() => this.#failed(reason))(),
      dropped: end(() => undefined),
    };
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#state.value.state === 'closed') return;
    this.#successes += 1;
    if (this.#successes >= this.#policy.probes) {
      this.#close();
      return;
    }
    const period = this.#period;
    this.#clock.after(this.#policy.quietMs, () => {
      if (period === this.#period) this.#close();
    });
  }

  #close(): void {
    this.#pause.reset();
    this.#enter({ state: 'closed' });
  }

  #failed(reason: string): void {
    const before = this.#state.value;
    this.#failures += 1;
    if (before.state === 'closed' && this.#failures < this.#policy.failures) return;
    const since = before.state === 'closed' ? this.#clock.now() : before.since;
    const ms = this.#pause.next();
    this.#pauseOver = false;
    this.#pausedUntilMs = this.#clock.now().getTime() + ms;
    this.#clock.after(ms, () => {
      this.#pauseOver = true;
    });
    this.#enter({ state: 'open', since, reason });
  }

  #enter(state: BreakerState): void {
    this.#period += 1;
    this.#failures = 0;
    this.#probing = 0;
    this.#state.set(state);
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { sleepOn, type Clock, type Timer } from '../../src/runtime/clock.ts';

interface Waiting {
  readonly dueAtMs: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  #elapsedMs = 0;
  #wallOffsetMs: number;

  constructor(start = new Date('2026-01-01T00:00:00Z')) {
    this.#wallOffsetMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#wallOffsetMs + this.#elapsedMs);
  }

  after(ms: number, run: () => void): Timer {
    const waiting = { dueAtMs: this.#elapsedMs + Math.max(ms, 0), run };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Milliseconds until the next timer is due, if one is set. */
  get nextDueMs(): number | undefined {
    const next = this.#next();
    return next && next.dueAtMs - this.#elapsedMs;
  }

  /**
   * Lets `ms` milliseconds pass: fires each due timer in the order they fall due, with the clock showing its
   * hour, and lets promise jobs and `setImmediate` run before the first, between all and after the last.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await nextTurn();
    for (let next = this.#next(); next !== undefined && next.dueAtMs <= untilMs; next = this.#next()) {
      this.#waiting.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAtMs);
      next.run();
      await nextTurn();
    }
    this.#elapsedMs = untilMs;
    await nextTurn();
  }

  /** Steps the wall clock, as a time server does: no timer is moved by it. */
  set(date: Date): void {
    this.#wallOffsetMs = date.getTime() - this.#elapsedMs;
  }

  /** Timers due at the same time fire in the order they were set, which is the order of the set. */
  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (next === undefined || waiting.dueAtMs < next.dueAtMs) next = waiting;
    }
    return next;
  }
}

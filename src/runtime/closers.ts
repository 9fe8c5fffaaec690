import { setImmediate as nextTurn } from 'node:timers/promises';
import { aborted } from './aborted.ts';
import type { Log } from './log.ts';

/** How one part of a process ends: it takes no new work, finishes what it has, and drops it at the deadline. */
export type Close = (deadline: AbortSignal) => Promise<void>;

export interface Closer {
  readonly name: string;
  readonly close: Close;
}

/** The parts of a process that must be closed, the last one opened first. */
export class Closers {
  readonly #log: Log;
  readonly #waiting: Closer[] = [];
  readonly #closing = new Map<Promise<void>, string>();
  #deadline: AbortSignal | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** What is added after closing has begun is closed at once. */
  add(name: string, close: Close): void {
    if (this.#deadline === undefined) this.#waiting.push({ name, close });
    else void this.#begin({ name, close }, this.#deadline);
  }

  /**
   * Closes one after the other. From the deadline on nothing is waited for any more: the rest is told to
   * close with the deadline passed. Resolves with the names of those that had not finished.
   */
  async closeAll(deadline: AbortSignal): Promise<string[]> {
    this.#deadline = deadline;
    const passed = aborted(deadline);
    for (let closer = this.#waiting.pop(); closer !== undefined; closer = this.#waiting.pop()) {
      await Promise.race([this.#begin(closer, deadline), passed]);
    }
    await Promise.race([Promise.all(this.#closing.keys()), passed]);
    // Those that end as soon as they see the deadline passed have this one turn to do so.
    await nextTurn();
    return [...this.#closing.values()];
  }

  #begin(closer: Closer, deadline: AbortSignal): Promise<void> {
    const closing = this.#close(closer, deadline).then(() => void this.#closing.delete(closing));
    this.#closing.set(closing, closer.name);
    return closing;
  }

  async #close({ name, close }: Closer, deadline: AbortSignal): Promise<void> {
    try {
      await close(deadline);
    } catch (error) {
      this.#log.error({ part: name, error }, 'closing failed');
    }
  }
}

import { errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';

/** A value that something outside keeps; the last good one stays in use while there is a problem with a newer one. */
export interface Source<T> {
  readonly current: Latest<T | undefined>;
  readonly problem: Latest<string | undefined>;
}

export interface LastGoodOptions<T> {
  /** What it is to the reader of the log: `trust anchors`. */
  readonly what: string;
  /** Where it is kept, for the log. */
  readonly where: Readonly<Record<string, string>>;
  /** Throws where the content is not good. */
  readonly parse: (text: string) => T;
  readonly log: Log;
}

/** The writer's side of `Source`: content that is not good never replaces content that was. */
export class LastGood<T> implements Source<T> {
  readonly #options: LastGoodOptions<T>;
  readonly #current = new LatestValue<T | undefined>(undefined);
  readonly #problem = new LatestValue<string | undefined>(undefined);

  constructor(options: LastGoodOptions<T>) {
    this.#options = options;
  }

  get current(): Latest<T | undefined> {
    return this.#current;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  take(text: string): void {
    const { what, where, parse, log } = this.#options;
    let value: T;
    try {
      value = parse(text);
    } catch (error) {
      this.refuse(error);
      return;
    }
    log.info({ ...where }, `${what} loaded`);
    this.#current.set(value);
    this.#problem.set(undefined);
  }

  refuse(error: unknown): void {
    const { what, where, log } = this.#options;
    const goesOn =
      this.#current.value === undefined ? 'there are none yet' : 'the last good ones stay in use';
    log.warn({ ...where, reason: errorMessage(error) }, `${what} refused, ${goesOn}`);
    this.#problem.set(errorMessage(error));
  }
}

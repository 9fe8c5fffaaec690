import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { watchFiles } from '../runtime/watch-files.ts';

/** A value that something outside keeps; the last good one stays in use while there is a problem with a newer one. */
export interface Source<T> {
  readonly current: Latest<T | undefined>;
  readonly problem: Latest<string | undefined>;
}

export interface FileSourceOptions<T> {
  /** What the file is to the reader of the log: `trust anchors`. */
  readonly what: string;
  readonly path: string;
  /** Throws where the content is not good. */
  readonly parse: (text: string) => T;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often a file is read where the file system tells of no change. */
const intervalMs = 10_000;

/** A value in a file, read anew on every change; content that is not good never replaces content that was. */
export class FileSource<T> implements Source<T> {
  readonly #options: FileSourceOptions<T>;
  readonly #current = new LatestValue<T | undefined>(undefined);
  readonly #problem = new LatestValue<string | undefined>(undefined);

  constructor(options: FileSourceOptions<T>) {
    this.#options = options;
  }

  get current(): Latest<T | undefined> {
    return this.#current;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Follows the file until the signal is aborted; resolves when it has been read once. */
  start(signal: AbortSignal): Promise<void> {
    const { path, clock } = this.#options;
    return watchFiles({
      paths: [path],
      clock,
      intervalMs,
      signal,
      onContent: (files) => this.#take(files.get(path)?.toString('utf8') ?? ''),
      onError: (error) => this.#refuse(error),
    });
  }

  #take(text: string): void {
    const { what, path, parse, log } = this.#options;
    let value: T;
    try {
      value = parse(text);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    log.info({ file: path }, `${what} loaded`);
    this.#current.set(value);
    this.#problem.set(undefined);
  }

  #refuse(error: unknown): void {
    const { what, path, log } = this.#options;
    const goesOn =
      this.#current.value === undefined ? 'there are none yet' : 'the last good ones stay in use';
    log.warn({ file: path, reason: errorMessage(error) }, `${what} refused, ${goesOn}`);
    this.#problem.set(errorMessage(error));
  }
}

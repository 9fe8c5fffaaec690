import type { Clock } from '../runtime/clock.ts';
import type { Latest } from '../runtime/latest.ts';
import { watchFiles } from '../runtime/watch-files.ts';
import { LastGood, type LastGoodOptions, type Source } from './last-good.ts';

export interface FileSourceOptions<T> extends Omit<LastGoodOptions<T>, 'where'> {
  readonly path: string;
  readonly clock: Clock;
}

/** How often a file is read where the file system tells of no change. */
const intervalMs = 10_000;

/** A value in a file, read anew on every change. */
export class FileSource<T> implements Source<T> {
  readonly #options: FileSourceOptions<T>;
  readonly #kept: LastGood<T>;

  constructor(options: FileSourceOptions<T>) {
    this.#options = options;
    this.#kept = new LastGood({ ...options, where: { file: options.path } });
  }

  get current(): Latest<T | undefined> {
    return this.#kept.current;
  }

  get problem(): Latest<string | undefined> {
    return this.#kept.problem;
  }

  /** Follows the file until the signal is aborted; resolves when it has been read once. */
  start(signal: AbortSignal): Promise<void> {
    const { path, clock } = this.#options;
    return watchFiles({
      paths: [path],
      clock,
      intervalMs,
      signal,
      onContent: (files) => this.#kept.take(files.get(path)?.toString('utf8') ?? ''),
      onError: (error) => this.#kept.refuse(error),
    });
  }
}

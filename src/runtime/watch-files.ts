import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { errorMessage } from './errors.ts';
import { readFiles, type FileContents, type FileSet } from './read-files.ts';

export interface WatchFilesOptions extends FileSet {
  readonly clock: Clock;
  /** How often the files are read where no event comes: file systems and links that tell of nothing. */
  readonly intervalMs: number;
  /** Ends the watch; nothing is told after it. */
  readonly signal: AbortSignal;
  /** Called with the first content, with each other content, and with the content after an error. */
  readonly onContent: (contents: FileContents) => void;
  /** Called when the files cannot be read, once for each error that differs from the one before. */
  readonly onError: (error: unknown) => void;
}

/**
 * Follows the content of files through whatever happens to them: a write in place, a rename over them, the swap
 * of the kubelet's `..data` link, removal and return. Events and the timer only lead to a reading; what counts is
 * the content. It may be half-written, which is for the reader of it to see. One reading is in flight at a time.
 *
 * Resolves when the first content or error has been told (or the signal was aborted before that).
 */
export function watchFiles(options: WatchFilesOptions): Promise<void> {
  const first = Promise.withResolvers<undefined>();
  // A callback that throws ends the process as an unhandled rejection: it is a bug.
  void follow(options, () => first.resolve(undefined));
  return first.promise;
}

async function follow(options: WatchFilesOptions, onTold: () => void): Promise<void> {
  const { clock, intervalMs, signal } = options;
  const directories = new Set(
    [...options.paths, ...(options.optionalPaths ?? [])].map((path) => dirname(path)),
  );
  using watch = new DirectoryWatch(directories);
  const teller = new Teller(options);
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    // Watched before it is read: what changes after this line is an event, and leads to another reading.
    await watch.renew();
    const outcome = await readFiles(options).then(
      (contents) => () => teller.content(contents),
      (error: unknown) => () => teller.error(error),
    );
    if (ended()) break;
    outcome();
    onTold();
    await watch.changeOr(clock, intervalMs, signal);
  }
  onTold();
}

/** Tells only what differs from what was told last. */
class Teller {
  readonly #options: WatchFilesOptions;
  #last: FileContents | string | undefined;

  constructor(options: WatchFilesOptions) {
    this.#options = options;
  }

  content(contents: FileContents): void {
    const last = this.#last;
    if (typeof last === 'object' && sameContents(last, contents)) return;
    this.#last = contents;
    this.#options.onContent(contents);
  }

  error(error: unknown): void {
    const message = errorMessage(error);
    if (this.#last === message) return;
    this.#last = message;
    this.#options.onError(error);
  }
}

function sameContents(a: FileContents, b: FileContents): boolean {
  return a.size === b.size && [...a].every(([path, content]) => b.get(path)?.equals(content) === true);
}

import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from './clock.ts';

interface Watched {
  /** Tells one directory from another that came to its place. */
  readonly mark: string;
  readonly watcher: FSWatcher;
}

/**
 * Notices that something happened in a few directories, as far as the system tells. A directory that is not
 * there, was replaced, or cannot be watched (the system's watches are used up) is tried anew by each `renew`.
 */
export class DirectoryWatch implements Disposable {
  readonly #directories: ReadonlySet<string>;
  readonly #watched = new Map<string, Watched>();
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(directories: ReadonlySet<string>) {
    this.#directories = directories;
  }

  /** Forgets the changes so far and makes sure that the directories of the present are watched. */
  async renew(): Promise<void> {
    this.#changed = false;
    for (const directory of this.#directories) {
      const mark = await markOf(directory);
      if (this.#watched.get(directory)?.mark === mark) continue;
      this.#unwatch(directory);
      if (mark !== undefined) this.#watch(directory, mark);
    }
  }

  /** Resolves at the next change since `renew`, after `ms` milliseconds, or when the signal is aborted. */
  async changeOr(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#changed || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    const timer = clock.after(ms, wake);
    signal.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    await promise;
    timer.cancel();
    signal.removeEventListener('abort', wake);
    this.#wake = undefined;
  }

  [Symbol.dispose](): void {
    for (const directory of this.#directories) this.#unwatch(directory);
  }

  #watch(directory: string, mark: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#change());
      watcher.on('error', () => this.#unwatch(directory));
      this.#watched.set(directory, { mark, watcher });
    } catch {
      // Gone again, or no watch to be had: the timer leads to the next reading and the next attempt.
    }
  }

  #unwatch(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }

  #change(): void {
    this.#changed = true;
    this.#wake?.();
  }
}

/** The inode alone is not enough: its number is soon used again. */
async function markOf(directory: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    return [dev, ino, birthtimeNs].join();
  } catch {
    return undefined;
  }
}

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { cacheDirectory } from './binaries/cache-directory.ts';
import { Guard } from './guard.ts';
import { StateDirectory } from './state-directory.ts';

const main = path.join(import.meta.dirname, 'main.ts');

export interface Ended {
  readonly code: number;
  readonly printed: string;
  /** What it said on standard error. */
  readonly said: string;
}

/** `npm run cluster` as its users run it, but that its one cluster is the test's own, beside the programs that are built. */
export class CommandLine implements AsyncDisposable {
  readonly state: StateDirectory;
  readonly #cache = new TemporaryDirectory();
  readonly #guard: Guard;

  constructor() {
    mkdirSync(this.#cache.file('kedge'));
    for (const name of readdirSync(cacheDirectory()).filter((one) => one !== 'cluster')) {
      symlinkSync(cacheDirectory(name), this.#cache.file('kedge', name));
    }
    this.state = StateDirectory.at(this.#cache.file('kedge', 'cluster'));
    this.#guard = new Guard(this.state);
  }

  run(...args: readonly string[]): Promise<Ended> {
    const env = { ...process.env, XDG_CACHE_HOME: this.#cache.path };
    return new Promise((resolve) => {
      const child = execFile(process.execPath, [main, ...args], { env }, (_error, printed, said) =>
        resolve({ code: child.exitCode ?? -1, printed, said }),
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('down');
    this.#guard.leave();
    this.#cache[Symbol.dispose]();
  }
}

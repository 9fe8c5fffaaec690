import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { StateDirectory } from './state-directory.ts';

/** A process that removes a cluster when this one is gone without having done so. */
export class Guard {
  readonly #watched: Writable;

  constructor(state: StateDirectory) {
    const { stdin } = spawn(process.execPath, [path.join(import.meta.dirname, 'guard-main.ts'), state.path], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    stdin.on('error', () => undefined);
    this.#watched = stdin;
  }

  /** Lets it end: nothing is left to watch over. */
  leave(): void {
    this.#watched.end();
  }
}

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { getBuiltinModule } from 'node:process';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A pipe whose reader reads only when it is told to. */
export class IdlePipe implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly #path = join(this.#directory.path, 'pipe');
  #reader: number | undefined;
  /** For whoever writes; as blocking as standard output. */
  readonly fd: number;

  constructor() {
    makePipe(this.#path);
    this.#reader = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.fd = openSync(this.#path, constants.O_WRONLY);
  }

  /** Everything that is in it now. */
  read(): string {
    const chunks: Buffer[] = [];
    while (this.#reader !== undefined) {
      const chunk = Buffer.alloc(64 * 1024);
      try {
        const length = readSync(this.#reader, chunk);
        if (length === 0) break;
        chunks.push(chunk.subarray(0, length));
      } catch {
        break;
      }
    }
    return Buffer.concat(chunks).toString();
  }

  /** Reads no more, ever. */
  leave(): void {
    if (this.#reader !== undefined) closeSync(this.#reader);
    this.#reader = undefined;
  }

  [Symbol.dispose](): void {
    this.leave();
    closeSync(this.fd);
    this.#directory[Symbol.dispose]();
  }
}

/** Node has no word for it, and the program of that name is not on every path. */
function makePipe(path: string): void {
  const { dlopen } = getBuiltinModule('node:ffi');
  const { functions } = dlopen(null, { mkfifo: { arguments: ['string', 'u32'], return: 'i32' } });
  if (functions.mkfifo(path, 0o600) !== 0) throw new Error(`expected a new pipe at ${path}, got none`);
}

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../../src/runtime/errors.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

/** A disk of a few pages, which a test can fill and empty. */
export class SmallDisk implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly #filler = this.file('filler');

  constructor(bytes: number) {
    const { status, stderr } = mount(this.#directory.path, bytes);
    if (status === 0) return;
    this.#directory[Symbol.dispose]();
    throw new Error(`expected to mount a disk, got ${stderr}`);
  }

  file(...names: string[]): string {
    return join(this.#directory.path, ...names);
  }

  /** Leaves no byte free. */
  fill(): void {
    try {
      for (;;) writeFileSync(this.#filler, Buffer.alloc(4096), { flag: 'a' });
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error;
    }
  }

  empty(): void {
    rmSync(this.#filler);
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['-l', this.#directory.path]);
    this.#directory[Symbol.dispose]();
  }
}

function mount(path: string, bytes: number) {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'kedge-test', path], { encoding: 'utf8' });
}

const mayMount = ((): boolean => {
  try {
    new SmallDisk(4096)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
})();

/** A test with a disk of its own; skipped, with the reason in its name, for who may not mount one. */
export function itWithSmallDisk(bytes: number, name: string, run: (disk: SmallDisk) => Promise<void>): void {
  const test = async (): Promise<void> => {
    using disk = new SmallDisk(bytes);
    await run(disk);
  };
  if (mayMount) it(name, test);
  else it.skip(`${name} (skipped: needs the right to mount a tmpfs)`, test);
}

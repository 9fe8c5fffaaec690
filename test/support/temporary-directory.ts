import { mkdtempSync, renameSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files by name; `undefined` stands for none. */
export type Files = Readonly<Record<string, string | undefined>>;

/** A directory that is gone at the end of the test. */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'kedge-test-'));
  #mounts = 0;

  /** The path of a file or directory in it. */
  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes in place, as an editor or a copy does, and removes what is `undefined`. */
  write(files: Files): void {
    for (const [name, content] of Object.entries(files)) {
      if (content === undefined) rmSync(this.file(name), { force: true });
      else writeFileSync(this.file(name), content);
    }
  }

  /** Puts all files there at once, as the kubelet does: a new directory, and one rename of the link to it. */
  mount(files: Files): void {
    const version = `..${++this.#mounts}`;
    mkdirSync(this.file(version));
    for (const [name, content] of Object.entries(files)) {
      if (content !== undefined) writeFileSync(join(this.file(version), name), content);
    }
    symlinkSync(version, this.file('..data_tmp'));
    renameSync(this.file('..data_tmp'), this.file('..data'));
    for (const name of Object.keys(files)) {
      if (this.#mounts === 1) symlinkSync(join('..data', name), this.file(name));
    }
  }

  /** Makes the directory anew after it was removed. */
  restore(): void {
    mkdirSync(this.path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

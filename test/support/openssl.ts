import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const version = spawnSync('openssl', ['version'], { encoding: 'utf8' });
const installed = version.status === 0 && /^OpenSSL [3-9]/.test(version.stdout);

/** A test that asks the openssl command for its judgement; skipped, with the reason in its name, where there is none. */
export function itWithOpenssl(name: string, run: () => void | Promise<void>): void {
  const test = async (): Promise<void> => run();
  if (installed) it(name, test);
  else it.skip(`${name} (skipped: needs the openssl command, 3.0 or later, on the PATH)`, test);
}

export interface OpensslAnswer {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs openssl in a directory of its own that holds the given files; arguments name them by their bare names. */
export function openssl(
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
): OpensslAnswer {
  const directory = mkdtempSync(join(tmpdir(), 'kedge-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const { status, stdout, stderr } = spawnSync('openssl', args, {
      cwd: directory,
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { ok: status === 0, text: stdout + stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

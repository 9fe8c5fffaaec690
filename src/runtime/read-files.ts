import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { errorCode, errorMessage } from './errors.ts';
import { runtimeErrors } from './runtime-errors.ts';

/** Certificates, tokens, key sets and lists of endpoints: nothing that is watched comes near this. */
const maxFileBytes = 16 * 1024 * 1024;

/** A set of files that changes as often as this during the reading of it is given up for now. */
const maxAttempts = 5;

export type FileContents = ReadonlyMap<string, Buffer>;

/** Which files belong together, by path. */
export interface FileSet {
  /** Each must be there. */
  readonly paths: readonly string[];
  /** Left out of the result where they are not there. */
  readonly optionalPaths?: readonly string[];
}

/**
 * Reads files of one moment: none of them was written to or replaced while the others were read, so a key is
 * not paired with the certificate before it. What one writer leaves half-written between two files is not seen.
 *
 * @throws AppError `file_missing`, `file_unreadable`, `file_not_regular`, `file_too_large`, `files_changing`
 */
export async function readFiles(files: FileSet): Promise<FileContents> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const contents = await readUnlessChanging(files);
    if (contents !== undefined) return contents;
  }
  throw runtimeErrors.error(
    'files_changing',
    `expected ${[...files.paths, ...(files.optionalPaths ?? [])].join(', ')} to rest while they are read`,
  );
}

async function readUnlessChanging(files: FileSet): Promise<FileContents | undefined> {
  const before = await statAll(files);
  const present = [...before].filter(([, stats]) => stats !== undefined);
  const contents = new Map<string, Buffer>();
  for (const [path] of present) {
    const content = await unlessMissing(() => readFile(path), path);
    if (content === undefined) return undefined;
    contents.set(path, content);
  }
  const after = await statAll(files);
  const rested = [...before].every(([path, stats]) => sameFile(stats, after.get(path)));
  return rested ? contents : undefined;
}

async function statAll(files: FileSet): Promise<Map<string, BigIntStats | undefined>> {
  const all = new Map<string, BigIntStats | undefined>();
  for (const path of files.paths) {
    const stats = await statFile(path);
    if (stats === undefined)
      throw runtimeErrors.error('file_missing', `expected a file at ${path}, found none`);
    all.set(path, stats);
  }
  for (const path of files.optionalPaths ?? []) all.set(path, await statFile(path));
  return all;
}

async function statFile(path: string): Promise<BigIntStats | undefined> {
  const stats = await unlessMissing(() => stat(path, { bigint: true }), path);
  if (stats !== undefined && !stats.isFile()) {
    throw runtimeErrors.error('file_not_regular', `expected a regular file at ${path}, found something else`);
  }
  if (stats !== undefined && stats.size > maxFileBytes) {
    const message = `expected at most ${maxFileBytes} bytes in ${path}, found ${stats.size.toString()}`;
    throw runtimeErrors.error('file_too_large', message);
  }
  return stats;
}

/** undefined where there is no such file (also where a parent is missing). */
async function unlessMissing<T>(operation: () => Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await operation();
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const message = `expected to be able to read ${path}: ${errorMessage(cause)}`;
    throw runtimeErrors.error('file_unreadable', message, { cause });
  }
}

/** The inode tells a swapped link and a file renamed over; size and times tell a write in place. */
function sameFile(a: BigIntStats | undefined, b: BigIntStats | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

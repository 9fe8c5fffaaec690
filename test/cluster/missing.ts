import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Something this machine lacks, said in one line with how to get it: the tier is skipped, nothing has failed. */
export class Missing extends Error {
  override readonly name = 'Missing';
}

/** The exit code of a command that lacks something (EX_UNAVAILABLE). */
export const missingExitCode = 69;

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where a program is: on the PATH, or, for one that runs as a service, in `more` folders. */
export function findProgram(name: string, more: readonly string[] = []): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(path.delimiter), ...more].filter(Boolean);
  return places.map((place) => path.join(place, name)).find(executable);
}

/** The same for a program of the system, which an ordinary user's PATH may leave out; throws `Missing` with `get`. */
export function systemProgram(name: string, get: string): string {
  const found = findProgram(name, folders);
  if (found === undefined) throw new Missing(`needs ${name}: ${get}`);
  return found;
}

export function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

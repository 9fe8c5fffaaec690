import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Something this machine lacks, said in one line with how to get it: the tier is skipped, nothing has failed. */
export class Missing extends Error {
  override readonly name = 'Missing';
}

/** The exit code of a command that lacks something (EX_UNAVAILABLE). */
export const missingExitCode = 69;

/** Where a program is: on the PATH, or in `more` folders. */
export function findProgram(name: string, more: readonly string[] = []): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(path.delimiter), ...more].filter(Boolean);
  return places.map((place) => path.join(place, name)).find(executable);
}

/** The same for one on the PATH that has to be there; throws `Missing` with `get`, the way to get it. */
export function requiredProgram(name: string, get: string): string {
  const found = findProgram(name);
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

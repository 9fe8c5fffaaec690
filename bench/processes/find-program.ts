import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where Debian puts servers, which is on the path of root alone. */
const serverFolder = '/usr/sbin';

/** Where a program is, as a shell would find it; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return [...folders, serverFolder].map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

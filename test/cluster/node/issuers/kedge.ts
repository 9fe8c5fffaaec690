import path from 'node:path';
import { run } from '../run.ts';

const program = path.join(import.meta.dirname, '..', '..', '..', '..', 'src', 'cli', 'main.ts');

/** What a command of `kedge` printed; rejects with what it said where it ends with another code than 0. */
export function kedge(args: readonly string[]): Promise<string> {
  return run([process.execPath, program, ...args]);
}

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { StateDirectory } from '../state-directory.ts';

/** Where the node of a cluster keeps what is its own. */
export function nodeDirectory(state: StateDirectory): string {
  const directory = state.file('node');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A file of the node's own. */
export function nodeFile(state: StateDirectory, name: string): string {
  return path.join(nodeDirectory(state), name);
}

import { availableParallelism } from 'node:os';
import { findProgram } from './find-program.ts';

/**
 * The command held to one processor core with all its threads; taskset becomes the program, so its process id is the
 * program's. Unchanged where there is one core only or no taskset (package util-linux).
 */
export function onCore(core: 0 | 1, command: readonly string[]): readonly string[] {
  const taskset = findProgram('taskset');
  return taskset === undefined || !holdsToCores() ? command : [taskset, '-c', String(core), ...command];
}

export function holdsToCores(): boolean {
  return findProgram('taskset') !== undefined && availableParallelism() >= 2;
}

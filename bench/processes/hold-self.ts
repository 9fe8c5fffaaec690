import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { findProgram } from './find-program.ts';

/**
 * Holds this process to processor cores, and with it what it starts from now on; does nothing where there is one core only or
 * no taskset.
 *
 * @param cores as taskset has them: `0`, `0,1`
 */
export function holdSelf(cores: string): void {
  const taskset = findProgram('taskset');
  if (taskset === undefined || cpus().length < 2) return;
  execFileSync(taskset, ['-a', '-p', '-c', cores, String(process.pid)], { stdio: 'ignore' });
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode } from '../../../src/runtime/errors.ts';
import { isRunning, thisProcess } from '../process-record.ts';
import type { ProcessRecord } from '../process-record.ts';

const lookAgainMs = 500;

/**
 * Runs `work` with the lock of a directory, waiting while another process that lives has it; `waiting` is told once. It
 * saves work and no more: whoever has it builds elsewhere and renames, so two at once would harm nothing.
 */
export async function withLock(
  directory: string,
  waiting: (pid: number) => void,
  work: () => Promise<void>,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'lock');
  let told = false;
  while (!take(file)) {
    const holder = holderOf(file);
    if (holder === undefined || !isRunning(holder)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!told) waiting(holder.pid);
    told = true;
    await pause(lookAgainMs);
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, JSON.stringify(thisProcess()), { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when it has just been given back, or was cut short. */
function holderOf(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

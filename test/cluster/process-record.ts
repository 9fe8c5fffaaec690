import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that cannot be taken for a later one with the same number. */
export interface ProcessRecord {
  readonly pid: number;
  /** In the kernel's ticks since boot; empty where there is no /proc. */
  readonly started: string;
}

/** Undefined when there is no such process, or only what is left of one that has ended. */
export function recordOf(pid: number): ProcessRecord | undefined {
  if (process.platform !== 'linux') return exists(pid) ? { pid, started: '' } : undefined;
  try {
    // Behind the name, which may hold anything, in brackets: state is the third field of all, the number of threads the
    // 20th, the start the 22nd. What is left of a process keeps its ports as long as another of its threads is ending.
    const fields = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1) ?? '').trim().split(' ');
    const ended = fields[0] === 'Z' && Number(fields[17]) <= 1;
    return ended ? undefined : { pid, started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

export function thisProcess(): ProcessRecord {
  const own = recordOf(process.pid);
  if (own === undefined) throw new TypeError('expected this process to be there');
  return own;
}

export function isRunning({ pid, started }: ProcessRecord): boolean {
  return recordOf(pid)?.started === started;
}

/** Asks a process to end, kills it after `withinMs`, and waits until it is gone; does nothing to one that is. */
export async function end(record: ProcessRecord, withinMs: number): Promise<void> {
  const killAt = performance.now() + withinMs;
  if (withinMs > 0) signal(record, 'SIGTERM');
  let killed = false;
  while (isRunning(record)) {
    if (!killed && performance.now() >= killAt) {
      killed = true;
      signal(record, 'SIGKILL');
    }
    await pause(10);
  }
}

export function signal(record: ProcessRecord, name: NodeJS.Signals): void {
  if (!isRunning(record)) return;
  try {
    process.kill(record.pid, name);
  } catch {
    // It has ended this moment.
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';
import type { Latest } from './latest.ts';
import { LatestValue } from './latest.ts';

/** Takes one record a line. */
export interface LogDestination {
  write(text: string): void;
}

const standardOutput = 1;
/** How long a reader that lags behind is waited for before records are lost; once, until it reads again. */
const patienceMs = 500;
const pauseMs = 5;
const nothing: Buffer = Buffer.alloc(0);
const neverWoken = new Int32Array(new SharedArrayBuffer(4));

/**
 * Standard output, for the logs of a process. Records are written before the process goes on, so that the last one before
 * an end is there. One that cannot be written (the disk is full, the reader is gone or stands still) is lost and counted:
 * the process neither ends for it nor waits without end. What was begun is finished first, so no record is cut into.
 */
export class LogOutput implements LogDestination {
  readonly #fd: number;
  readonly #problem = new LatestValue<string | undefined>(undefined);
  /** The end of a record that went out in part. */
  #rest = nothing;
  #lost = 0;

  constructor(fd = openNonBlocking(standardOutput)) {
    this.#fd = fd;
  }

  /** How many records were lost. */
  get lost(): number {
    return this.#lost;
  }

  /** Why records are being lost; `undefined` while they are not. */
  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  write(text: string): void {
    const record = Buffer.from(text);
    const before = this.#rest.length;
    const unwritten = this.#send(before === 0 ? record : Buffer.concat([this.#rest, record]));
    if (unwritten.length < record.length) {
      this.#rest = unwritten;
      if (unwritten.length === 0) this.#problem.set(undefined);
      return;
    }
    this.#rest = unwritten.subarray(0, unwritten.length - record.length);
    this.#lost += 1;
  }

  /** Gives what could not be written. */
  #send(bytes: Buffer): Buffer {
    let unwritten = bytes;
    let leftMs = this.#problem.value === undefined ? patienceMs : 0;
    while (unwritten.length > 0) {
      try {
        unwritten = unwritten.subarray(writeSync(this.#fd, unwritten));
      } catch (error) {
        const reason = errorCode(error) ?? 'unknown error';
        if (reason !== 'EAGAIN' || leftMs <= 0) {
          this.#problem.set(`standard output takes no records (${reason})`);
          break;
        }
        Atomics.wait(neverWoken, 0, 0, pauseMs);
        leftMs -= pauseMs;
      }
    }
    return unwritten;
  }
}

/**
 * A pipe anew and without blocking: through the descriptor as it was given a reader that stands still would stop this
 * process in the middle of a write. That one stays as it is, since other processes may share it.
 */
export function openNonBlocking(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}

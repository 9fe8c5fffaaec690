import { setImmediate as nextTurn } from 'node:timers/promises';
import { sleepOn, type Clock, type Timer } from '../../src/runtime/clock.ts';

interface Entry {
  readonly dueMs: number;
  readonly number: number;
  run: (() => void) | undefined;
}

/** Time that passes as fast as there is nothing to do. Timers of the same millisecond fire in the order they were set. */
export class VirtualClock implements Clock {
  readonly #heap: Entry[] = [];
  #nowMs: number;
  #number = 0;

  constructor(start: Date) {
    this.#nowMs = start.getTime();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  after(ms: number, run: () => void): Timer {
    const dueMs = Math.ceil(this.#nowMs + Math.max(0, ms));
    const entry: Entry = { dueMs, number: this.#number++, run };
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Until then, or until the signal is aborted. All that a timer sets off has happened before the next one fires. */
  async run(untilMs: number, signal?: AbortSignal): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      const { run, dueMs } = next;
      if (run === undefined) continue;
      this.#nowMs = dueMs;
      run();
      if (this.#heap[0]?.dueMs !== dueMs) await nextTurn();
      if (signal?.aborted === true) return;
    }
    this.#nowMs = untilMs;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) below += 1;
      const child = heap[below];
      if (child === undefined || isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}

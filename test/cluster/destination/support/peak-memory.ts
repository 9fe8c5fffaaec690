import { setTimeout as pause } from 'node:timers/promises';
import type { DestinationProcess } from './destination-process.ts';

const everyMs = 100;

/** Looks at the resident memory of a process again and again, and keeps the most that it has seen. */
export class PeakMemory implements AsyncDisposable {
  /** In MB of 2^20 bytes. */
  peak = 0;
  #on = true;
  readonly #looking: Promise<void>;

  constructor(process: DestinationProcess) {
    this.#looking = this.#look(process);
  }

  async #look(process: DestinationProcess): Promise<void> {
    while (this.#on) {
      this.peak = Math.max(this.peak, await process.resident());
      await pause(everyMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#on = false;
    await this.#looking;
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { get } from '../../../src/cli/demo/get.ts';
import { errorMessage } from '../../../src/runtime/errors.ts';

/** Far apart enough to leave the machine to others. */
const everyMs = 25;

/** A client that calls again and again, each time on a new connection, until it is told to stop. */
export class SteadyCalls {
  answered = 0;
  /** How those calls ended that were not answered. */
  readonly failures: string[] = [];
  readonly #stop = new AbortController();
  readonly #over: Promise<void>;

  constructor(port: number) {
    this.#over = this.#call(port);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  async #call(port: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const { status, body } = await get(port, '/orders/42');
        if (status === 200) this.answered += 1;
        else this.failures.push(`${status} ${body}`);
      } catch (error) {
        this.failures.push(errorMessage(error));
      }
      await pause(everyMs);
    }
  }
}

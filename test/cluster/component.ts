import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { errorMessage } from '../../src/runtime/errors.ts';
import type { Place } from './place.ts';
import { end, isRunning, recordOf } from './process-record.ts';
import type { ProcessRecord } from './process-record.ts';
import type { StateDirectory } from './state-directory.ts';

export interface Command {
  /** `kube-apiserver`: what its log and its record are called. */
  readonly name: string;
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** All of its environment, where that is not the one of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Far longer than a start takes where nothing else runs. */
const readyWithinMs = 120_000;
const askEveryMs = 50;

/** One process of a cluster, which lives on when this one ends: its record is in the state directory. */
export class Component {
  readonly name: string;
  readonly #state: StateDirectory;
  readonly #record: ProcessRecord;

  private constructor(name: string, state: StateDirectory, record: ProcessRecord) {
    this.name = name;
    this.#state = state;
    this.#record = record;
  }

  static start({ name, words, env }: Command, place: Place, state: StateDirectory): Component {
    const [program = '', ...args] = place.enter(words);
    const log = openSync(state.logFile(name), 'a', 0o600);
    const child = spawn(program, args, {
      cwd: state.path,
      stdio: ['ignore', log, log],
      detached: true,
      ...(env && { env }),
    });
    closeSync(log);
    child.on('error', () => undefined);
    child.unref();
    const { pid } = child;
    if (pid === undefined) throw new Error(`expected to start ${program}, it cannot be run`);
    // A process that has ended already, and was waited for, has no record: it is as dead as any other.
    const record = recordOf(pid) ?? { pid, started: 'never' };
    state.record(name, record);
    return new Component(name, state, record);
  }

  get running(): boolean {
    return isRunning(this.#record);
  }

  /**
   * Waits until `check` resolves. Rejects with the end of the log of whoever ends before, itself or one that it `needs`,
   * or with its own when it takes far too long.
   */
  async ready(check: () => Promise<unknown>, needs: readonly Component[] = []): Promise<void> {
    const giveUpAt = performance.now() + readyWithinMs;
    for (;;) {
      const ended = [...needs, this].find(({ running }) => !running);
      if (ended) throw new Error(`expected ${ended.name} to run, it ended:\n${ended.logTail()}`);
      try {
        await check();
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) {
          const said = `${errorMessage(error)}\n${this.logTail()}`;
          throw new Error(`expected ${this.name} to be ready: ${said}`, { cause: error });
        }
      }
      await pause(askEveryMs);
    }
  }

  /** Asks it to end, kills it after `withinMs`, and waits until it is gone. */
  stop(withinMs: number): Promise<void> {
    return end(this.#record, withinMs);
  }

  /** Ends it at once, as a crash would. */
  kill(): Promise<void> {
    return end(this.#record, 0);
  }

  logTail(): string {
    return readFileSync(this.#state.logFile(this.name), 'utf8').split('\n').slice(-12).join('\n');
  }
}

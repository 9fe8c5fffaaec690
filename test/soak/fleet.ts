import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { Child } from '../../src/cli/demo/child.ts';
import { eventually } from '../../src/cli/demo/eventually.ts';
import type { ProcessOptions } from '../../src/cli/demo/processes.ts';
import type { World } from '../../src/cli/demo/world.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Ledger } from './ledger.ts';

/** One run of a process between a start and an end. */
export interface Run {
  readonly options: ProcessOptions;
  readonly child: Child;
  readonly startedMs: number;
  ready: boolean;
  /** Whether it was told to end. */
  leaving: boolean;
}

export interface FleetOptions {
  readonly world: World;
  readonly signal: AbortSignal;
  /** Gets what is wrong: a process that ended though nobody told it to, or not with 0 though it was asked in order. */
  readonly ledger: Ledger;
  /** Called when a process has ended though nobody told it to. */
  readonly onLost: () => void;
}

/** A process that is asked to end may wait for the longest request under way. */
const endWithinMs = 30_000;

/** All processes of the soak, each run of each. None of them outlives this one. */
export class Fleet {
  readonly runs: Run[] = [];
  readonly restarts = { SIGTERM: 0, SIGKILL: 0 };
  readonly #options: FleetOptions;
  readonly #guard: ChildProcess;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#guard = spawn(process.execPath, [path.join(import.meta.dirname, 'guard.ts')], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    this.#guard.stdin?.on('error', () => undefined);
  }

  /** Starts a process and waits until it is ready. Throws the signal's reason once that is aborted: nothing starts any more. */
  async start(options: ProcessOptions): Promise<void> {
    const { world, signal, ledger } = this.#options;
    signal.throwIfAborted();
    const logFile = world.path('logs', `${options.name.replace(' ', '-')}.log`);
    const child = new Child({ ...options, logFile });
    const run: Run = { options, child, startedMs: ledger.nowMs, ready: false, leaving: false };
    this.runs.push(run);
    this.#guard.stdin?.write(`+${child.pid ?? 0}\n`);
    void child.ended.then((end) => this.#ended(run, end));
    await child.ready(systemClock, signal);
    if (child.application) {
      await eventually(() => child.lastLine === 'ready', {
        clock: systemClock,
        signal,
        what: () => `${options.name} to listen:\n${child.logTail()}`,
      });
    }
    run.ready = true;
  }

  /** The present run of a process; throws when it was never started. */
  current(name: string): Run {
    const run = this.runs.findLast(({ options }) => options.name === name);
    if (!run) throw new Error(`expected a process called ${name}, found none`);
    return run;
  }

  /** Ends a process, in order or as a crash would, and starts it again on the same ports. */
  async restart(name: string, how: keyof Fleet['restarts']): Promise<void> {
    const run = this.current(name);
    run.leaving = true;
    if (how === 'SIGKILL') await run.child.kill();
    else this.#judge(run, await run.child.stop(endWithinMs));
    this.restarts[how] += 1;
    await this.start(run.options);
  }

  /** Ends everything, the last started first; the applications after the proxies that carry to them. */
  async stop(): Promise<void> {
    const running = this.runs.filter(({ child }) => child.running).toReversed();
    for (const run of running) run.leaving = true;
    const ours = running.filter(({ child }) => !child.application);
    await Promise.all(ours.map(async (run) => this.#judge(run, await run.child.stop(endWithinMs))));
    await Promise.all(running.map(({ child }) => child.stop()));
    this.#guard.stdin?.end();
  }

  #judge(run: Run, end: number | string): void {
    // Node itself ends by the signal before the program has begun.
    if (run.ready && end !== 0)
      this.#options.ledger.fault(run.options.name, `expected it to end with 0 when asked to, got ${end}`);
  }

  #ended(run: Run, end: number | string): void {
    this.#guard.stdin?.write(`-${run.child.pid ?? 0}\n`);
    if (run.leaving) return;
    this.#options.ledger.fault(run.options.name, `expected it to go on, it ended: ${end}`);
    this.#options.onLost();
  }
}

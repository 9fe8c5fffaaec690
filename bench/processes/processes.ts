import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio, StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/** How long a process may take to end after SIGTERM. */
const endMs = 10_000;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes; it has none without. */
  readonly logFile?: string;
  /** Whether it is a Node program that this process exchanges messages with. */
  readonly messages?: boolean;
}

/** A process that runs until the end of its group. */
export interface Started {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The end of its log. */
  lastWords(): string;
  /** Throws with the end of its log when it has ended. */
  checkRunning(): void;
}

/** The processes of one part of the benchmark: all end with it, by their ids, however it ends. */
export class Processes implements AsyncDisposable {
  readonly #signal: AbortSignal;
  readonly #children = new Set<ChildProcess>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  start(name: string, command: readonly string[], options: StartOptions = {}): Started {
    const { env, logFile, messages = false } = options;
    const log = logFile === undefined ? undefined : openSync(logFile, 'a', 0o600);
    const stdio: StdioOptions = [
      'ignore',
      log ?? 'ignore',
      log ?? 'inherit',
      ...(messages ? ['ipc' as const] : []),
    ];
    const child = this.#spawn(command, env, stdio);
    if (log !== undefined) closeSync(log);
    if (child.pid === undefined) throw new Error(`expected ${name} to start: ${command.join(' ')}`);
    const lastWords = (): string => (logFile === undefined ? '' : readFileSync(logFile, 'utf8').slice(-1000));
    const checkRunning = (): void => {
      this.#signal.throwIfAborted();
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(
        `expected ${name} to go on, it ended with ${child.exitCode ?? child.signalCode}: ${lastWords()}`,
      );
    };
    return { pid: child.pid, process: child, lastWords, checkRunning };
  }

  /** Runs a program to its end and gives what it wrote to its standard output. Rejects unless it ends with 0. */
  async output(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
    const child = this.#spawn(command, env, ['ignore', 'pipe', 'pipe']);
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('expected pipes');
    const [out, said] = await Promise.all([buffer(stdout), buffer(stderr), ended(child)]);
    this.#signal.throwIfAborted();
    if (child.exitCode === 0) return out.toString();
    throw new Error(
      `expected ${command.join(' ')} to end with 0, got ${child.exitCode ?? child.signalCode}: ${said.toString()}`,
    );
  }

  /** A program to talk with over its standard input and output; `finished` rejects unless it ends with 0. */
  converse(command: readonly string[]): {
    child: ChildProcessByStdio<Writable, Readable, null>;
    finished: Promise<void>;
  } {
    const child = this.#spawn(command, undefined, ['pipe', 'pipe', 'inherit']) as ChildProcessByStdio<
      Writable,
      Readable,
      null
    >;
    const finish = async (): Promise<void> => {
      await ended(child);
      this.#signal.throwIfAborted();
      if (child.exitCode === 0) return;
      throw new Error(
        `expected ${command.join(' ')} to end with 0, got ${child.exitCode ?? child.signalCode}`,
      );
    };
    const finished = finish();
    // Whoever fails before it is waited for has more to say.
    finished.catch(() => undefined);
    return { child, finished };
  }

  async stop({ process: child }: Pick<Started, 'process'>): Promise<void> {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), endMs);
    await ended(child);
    clearTimeout(kill);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop({ process: child })));
  }

  #spawn(
    command: readonly string[],
    env: Readonly<Record<string, string>> | undefined,
    stdio: StdioOptions,
  ): ChildProcess {
    this.#signal.throwIfAborted();
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio, signal: this.#signal, ...(env && { env }) });
    // What could not start or was aborted is told by whoever waits for it.
    child.on('error', () => undefined);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

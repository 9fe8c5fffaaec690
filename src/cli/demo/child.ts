import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { cliErrors } from '../errors.ts';
import { eventually } from './eventually.ts';
import { get } from './get.ts';

/** A process: its name, the file that Node runs, its settings, and where its log goes. */
export interface ChildOptions {
  name: string;
  program: string;
  args?: string[];
  settings?: Record<string, string>;
  logFile: string;
  /** The admin port to ask whether it is ready; none for an application, which is none of Kedge's processes. */
  adminPort?: number;
}

/** One real process: started with exactly the settings given, its output in a file. */
export class Child {
  readonly name: string;
  readonly logFile: string;
  /** Its exit code, or the signal or error that ended it. */
  readonly ended: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #adminPort: number | undefined;
  #output = '';

  constructor({ name, program, args = [], settings = {}, logFile, adminPort }: ChildOptions) {
    this.name = name;
    this.logFile = logFile;
    this.#adminPort = adminPort;
    const log = openSync(logFile, 'a', 0o600);
    this.#process = spawn(process.execPath, [program, ...args], {
      env: settings,
      stdio: ['ignore', adminPort === undefined ? 'pipe' : log, log],
    });
    closeSync(log);
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4096);
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) => resolve(code ?? signal ?? 'ended'));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it is an application and not one of Kedge's processes. */
  get application(): boolean {
    return this.#adminPort === undefined;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last whole line that the process wrote, for an application. */
  get lastLine(): string {
    return this.#output.split('\n').at(-2) ?? '';
  }

  /** Waits until `/ready` answers 200; fails with the end of its log if it ends or takes too long. */
  async ready(clock: Clock, signal: AbortSignal): Promise<void> {
    let said = '';
    const isReady = async (): Promise<boolean> => {
      if (!this.running) {
        throw cliErrors.error('demo_process_ended', `${this.name} ended at its start:\n${this.logTail()}`);
      }
      if (this.#adminPort === undefined) return true;
      const answer = await get(this.#adminPort, '/ready', { timeoutMs: 1000 }).catch(() => undefined);
      said = answer?.body.trim() ?? 'no answer';
      return answer?.status === 200;
    };
    await eventually(isReady, {
      clock,
      signal,
      what: () => `${this.name} to be ready, it says:\n${said}\nThe end of its log:\n${this.logTail()}`,
    });
  }

  /** Asks it to end and waits; one that takes longer than ten seconds, or than told, is killed. Answers with its end. */
  async stop(withinMs = 10_000): Promise<number | string> {
    if (this.running) this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), withinMs);
    const end = await this.ended;
    clearTimeout(kill);
    return end;
  }

  /** Ends it at once, as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  /** The last lines of its log. */
  logTail(): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-8).join('\n');
  }
}

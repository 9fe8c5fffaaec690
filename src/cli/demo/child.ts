import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Clock } from '../../runtime/clock.ts';
import { cliErrors } from '../errors.ts';
import { eventually } from './eventually.ts';

/** A process of the demo: its name, the program it runs, its settings, and where its log goes. */
export interface ChildOptions {
  name: string;
  /** `identity`, `destination`, `proxy`, or one of the demo's own applications. */
  program: string;
  args?: string[];
  settings?: Record<string, string>;
  logFile: string;
  /** The admin port to ask whether it is ready; none for an application. */
  adminPort?: number;
}

/** From source the programs are the `main.ts` of their folders; from a bundle they lie beside it. */
function programFile(program: string): string {
  const here = import.meta.dirname;
  if (!import.meta.filename.endsWith('.ts')) return path.join(here, `${program}.mjs`);
  return program.startsWith('shop-')
    ? path.join(here, `${program}.ts`)
    : path.join(here, '..', '..', program, 'main.ts');
}

/** One real process: started with exactly the settings given, its output in a file. */
export class Child {
  readonly name: string;
  readonly logFile: string;
  readonly #process: ChildProcess;
  readonly #adminPort: number | undefined;
  readonly #exited: Promise<number | string>;
  #output = '';

  constructor({ name, program, args = [], settings = {}, logFile, adminPort }: ChildOptions) {
    this.name = name;
    this.logFile = logFile;
    this.#adminPort = adminPort;
    const log = openSync(logFile, 'a', 0o600);
    this.#process = spawn(process.execPath, [programFile(program), ...args], {
      env: settings,
      stdio: ['ignore', adminPort === undefined ? 'pipe' : log, log],
    });
    closeSync(log);
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4096);
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) => resolve(code ?? signal ?? 'ended'));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
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
        throw cliErrors.error('demo_process_ended', `${this.name} ended at its start:\n${this.#logTail()}`);
      }
      if (this.#adminPort === undefined) return true;
      const { status, body } = await askReady(this.#adminPort);
      said = body.trim();
      return status === 200;
    };
    await eventually(isReady, {
      clock,
      signal,
      what: () => `${this.name} to be ready, it says:\n${said}\nThe end of its log:\n${this.#logTail()}`,
    });
  }

  /** Asks it to end and waits; an application that ignores SIGTERM for ten seconds is killed. */
  async stop(): Promise<number | string> {
    if (this.running) this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    const result = await this.#exited;
    clearTimeout(kill);
    return result;
  }

  #logTail(): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-8).join('\n');
  }
}

/** What `/ready` answers on a local port; status 0 where nothing answers. */
function askReady(port: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/ready', agent: false, timeout: 1000 };
    const nothing = { status: 0, body: 'no answer' };
    const request = http.get(options, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body }),
        () => resolve(nothing),
      );
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(nothing));
  });
}

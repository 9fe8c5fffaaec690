import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import type { ProxyAddresses } from '../../../src/proxy/proxy.ts';
import type { Environment } from '../../../src/runtime/env.ts';
import { eventually } from '../../support/eventually.ts';

const main = path.join(import.meta.dirname, '..', '..', '..', 'src', 'proxy', 'main.ts');

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** A proxy in a process of its own. */
export class ProxyProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #begun: Promise<unknown[]>;

  /** With `descriptors` the process may have no more than so many open. */
  constructor(env: Environment, descriptors?: number) {
    const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
    this.#child = spawn('/bin/sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, main], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
    const { stdout } = this.#child;
    if (stdout === null) throw new TypeError('expected a pipe');
    const log = createInterface(stdout).on('line', (line) => this.lines.push(JSON.parse(line) as LogLine));
    this.#begun = Promise.race([once(log, 'line'), this.#exited]);
  }

  /** Where it listens, once it does and has its certificate; a busy machine may take seconds to start it. */
  async listening(): Promise<ProxyAddresses> {
    await this.#begun;
    await this.line('certificate obtained');
    return (await this.line('listening')) as unknown as ProxyAddresses;
  }

  /** The first line with this message, once there is one. */
  line(message: string): Promise<LogLine> {
    return eventually(() => {
      const found = this.lines.find((line) => line.message === message);
      if (found === undefined) throw new Error(`expected "${message}", got ${JSON.stringify(this.lines)}`);
      return found;
    });
  }

  signal(signal: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** The exit code, once it has ended by itself. */
  async exitCode(): Promise<unknown> {
    const [code] = await this.#exited;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

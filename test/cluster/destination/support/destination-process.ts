import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { get } from '../../../../src/cli/demo/get.ts';
import type { SocketAddress } from '../../../../src/runtime/socket-address.ts';
import { sample } from '../../../faults/support/scrape.ts';
import { eventually } from '../../../support/eventually.ts';

const main = path.join(import.meta.dirname, '..', '..', '..', '..', 'src', 'destination', 'main.ts');
const collectOnSignal = path.join(import.meta.dirname, 'collect-on-signal.ts');

export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
};

/** A destination process, looked at from outside only. */
export class DestinationProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #adminPort: number;
  readonly #exited: Promise<unknown>;

  constructor(settings: Readonly<Record<string, string>>, adminPort: number) {
    this.#adminPort = adminPort;
    this.#child = spawn(process.execPath, ['--import', collectOnSignal, main], {
      env: { ...settings, KEDGE_ADMIN_LISTEN_ADDR: `127.0.0.1:${adminPort}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
    const { stdout } = this.#child;
    if (stdout === null) throw new TypeError('expected a pipe');
    createInterface(stdout).on('line', (line) => this.lines.push(JSON.parse(line) as LogLine));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it should never have to say. */
  get errors(): LogLine[] {
    return this.lines.filter(({ level }) => level === 'error');
  }

  /** Where it serves destination, or another API, once it does. */
  address(name = 'io.linkerd.proxy.destination.Destination'): Promise<SocketAddress> {
    return eventually(() => {
      const line = this.lines.find(({ service }) => service === name);
      if (line === undefined) throw new Error(`expected it to serve, got ${JSON.stringify(this.lines)}`);
      return { host: String(line['host']), port: Number(line['port']) };
    });
  }

  /** Status and body of `/ready`. */
  async ready(): Promise<string> {
    const { status, body } = await get(this.#adminPort, '/ready');
    return `${status} ${body}`;
  }

  /** The sum of a metric's samples whose labels hold all of `labels`. */
  async sample(name: string, ...labels: string[]): Promise<number> {
    return sample((await get(this.#adminPort, '/metrics')).body, name, ...labels);
  }

  /** Resident, in MB of 2^20 bytes. */
  async resident(): Promise<number> {
    return (await this.sample('process_resident_memory_bytes')) / 2 ** 20;
  }

  /** What it holds once its garbage was collected: objects and the buffers beside them, in MB of 2^20 bytes. */
  async held(): Promise<number> {
    const before = this.#collected.length;
    this.signal('SIGUSR2');
    const line = await eventually(() => {
      const last = this.#collected[before];
      if (last === undefined) throw new Error('expected it to collect its garbage');
      return last;
    });
    return Number(line['left']) / 2 ** 20;
  }

  get #collected(): LogLine[] {
    return this.lines.filter(({ message }) => message === 'garbage collected');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

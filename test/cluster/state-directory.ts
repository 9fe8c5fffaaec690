import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, isRunning } from './process-record.ts';
import type { ProcessRecord } from './process-record.ts';

/** Where a cluster lives on disk: keys, data and logs, and which processes belong to it, so that anyone can end them. */
export class StateDirectory {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  /** One that may be there or not. */
  static at(directory: string): StateDirectory {
    return new StateDirectory(directory);
  }

  create(): void {
    for (const name of ['processes', 'log', 'pki'])
      mkdirSync(this.file(name), { recursive: true, mode: 0o700 });
  }

  file(...names: readonly string[]): string {
    return path.join(this.path, ...names);
  }

  logFile(component: string): string {
    return this.file('log', `${component}.log`);
  }

  /** Notes that a process belongs to the cluster under this name; the last one of a name counts. */
  record(component: string, process: ProcessRecord): void {
    this.writeJson(process, 'processes', component);
  }

  processOf(component: string): ProcessRecord | undefined {
    return this.readJson('processes', component) as ProcessRecord | undefined;
  }

  /** The names of all components that were started, in no order. */
  get components(): string[] {
    try {
      return readdirSync(this.file('processes'));
    } catch {
      return [];
    }
  }

  /** Those whose process is there. */
  get running(): string[] {
    return this.components.filter((name) => {
      const record = this.processOf(name);
      return record !== undefined && isRunning(record);
    });
  }

  /** Ends processes, each as asked for or killed after `withinMs`; all at once. */
  async end(components: readonly string[], withinMs = 0): Promise<void> {
    const records = components.map((name) => this.processOf(name)).filter((one) => one !== undefined);
    await Promise.all(records.map((record) => end(record, withinMs)));
  }

  writeJson(value: unknown, ...names: readonly string[]): void {
    writeFileSync(this.file(...names), JSON.stringify(value), { mode: 0o600 });
  }

  /** Undefined when there is none, or a crash cut it short. */
  readJson(...names: readonly string[]): unknown {
    try {
      return JSON.parse(readFileSync(this.file(...names), 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  }

  /** Ends every process at once and removes everything on disk. */
  async remove(): Promise<void> {
    await this.end(this.components);
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

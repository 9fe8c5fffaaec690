import path from 'node:path';
import { createInterface } from 'node:readline';
import { processorSeconds } from '../processes/processor-seconds.ts';
import type { Processes } from '../processes/processes.ts';
import type { Pair } from './pair.ts';

const warmUpSeconds = 1;
const countedSeconds = 2.5;
/** How long opening all idle connections may take. */
const openingSeconds = 120;
/** Of each message; less than any buffer on the way. */
const messageBytes = 64;

export type Mode = 'bulk' | 'download' | 'ping' | 'connect';

/** What one run of the load saw, and what the pair spent meanwhile. */
export interface Result {
  /** Bytes that arrived, a second. */
  readonly bytesPerSecond: number;
  /** Messages that came back, a second. */
  readonly operationsPerSecond: number;
  /** Of a message, in microseconds. */
  readonly p99: number;
  /** Processor time of both proxies for each byte that arrived, in seconds. */
  readonly processorSecondsPerByte: number;
  /** The same for each message. */
  readonly processorSecondsPerOperation: number;
}

/** As the program writes it. */
interface Counted {
  readonly seconds: number;
  readonly bytes: number;
  readonly operations: number;
  readonly failures: number;
  readonly p99: number;
}

/** The load program, compiled; see load.c for what it does. */
export class Load {
  readonly #processes: Processes;
  readonly #program: string;

  private constructor(processes: Processes, program: string) {
    this.#processes = processes;
    this.#program = program;
  }

  /** Compiles it into a directory with the C compiler of the system. */
  static async build(processes: Processes, compiler: string, directory: string): Promise<Load> {
    const program = path.join(directory, 'load');
    const source = path.join(import.meta.dirname, 'load.c');
    await processes.output([compiler, '-O2', '-pthread', '-o', program, source]);
    return new Load(processes, program);
  }

  /** Rejects if a single connection failed. */
  async run(pair: Pair, mode: Mode, connections: number): Promise<Result> {
    let before = 0;
    const counted = await this.#start(pair, [mode, connections, warmUpSeconds, countedSeconds], () => {
      before = spent(pair);
    });
    const processor = spent(pair) - before;
    const { seconds, bytes, operations, p99 } = counted;
    return {
      bytesPerSecond: bytes / seconds,
      operationsPerSecond: operations / seconds,
      p99,
      processorSecondsPerByte: processor / bytes,
      processorSecondsPerOperation: processor / operations,
    };
  }

  /** Holds that many idle connections open while it looks; each has carried one message. */
  async withIdle<T>(pair: Pair, connections: number, look: () => Promise<T>): Promise<T> {
    let seen: T | undefined;
    await this.#start(pair, ['idle', connections, 0, openingSeconds], undefined, async ({ operations }) => {
      if (operations !== connections)
        throw new Error(
          `expected ${connections} connections through ${pair.name}, got ${operations}: ${pair.lastWords()}`,
        );
      seen = await look();
    });
    return seen as T;
  }

  async #start(
    pair: Pair,
    [mode, connections, warmUp, seconds]: readonly [string, number, number, number],
    begin: () => void = () => undefined,
    hold: (counted: Counted) => Promise<void> = () => Promise.resolve(),
  ): Promise<Counted> {
    const numbers = [pair.port, pair.applicationPort, connections, messageBytes, warmUp, seconds].map(String);
    const { child, finished } = this.#processes.converse([this.#program, mode, ...numbers]);
    let counted: Counted | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'begin') begin();
      else {
        counted = JSON.parse(line) as Counted;
        await hold(counted);
        child.stdin.end();
      }
    }
    await finished;
    pair.checkRunning();
    if (counted?.failures === 0) return counted;
    const failures = counted?.failures ?? 'no answer';
    throw new Error(
      `expected ${mode} through ${pair.name} not to fail, got ${failures}: ${pair.lastWords()}`,
    );
  }
}

function spent({ processIds }: Pair): number {
  return processIds.reduce((sum, pid) => sum + processorSeconds(pid), 0);
}

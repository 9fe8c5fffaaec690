import type { Clock } from '../../runtime/clock.ts';
import { Child } from './child.ts';
import type { ProcessOptions } from './processes.ts';
import type { World } from './world.ts';

/** The processes of a mesh on this machine, in the order in which they were started. */
export class Mesh {
  readonly children: Child[] = [];
  readonly #world: World;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  /** Waiting for a process ends when the signal is aborted; the process is ended by `stop`. */
  constructor(world: World, clock: Clock, signal: AbortSignal) {
    this.#world = world;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Starts a process and waits until it is ready; its log is `logs/<name>.log` of the world's directory. */
  async start(options: ProcessOptions): Promise<Child> {
    const logFile = this.#world.path('logs', `${options.name.replace(' ', '-')}.log`);
    const child = new Child({ ...options, logFile });
    this.children.push(child);
    await child.ready(this.#clock, this.#signal);
    return child;
  }

  /** Ends all of them, the last started first; answers with those of Kedge's own that did not end with 0. */
  async stop(): Promise<string[]> {
    const ends = await Promise.all(
      this.children.toReversed().map(async (child) => ({ child, end: await child.stop() })),
    );
    return ends
      .filter(({ child, end }) => !child.application && end !== 0)
      .map(({ child, end }) => `${child.name}: ${end}`);
  }
}

import type { Clock } from '../../runtime/clock.ts';
import { Child } from './child.ts';
import type { ChildOptions } from './child.ts';
import { destinationSettings, identitySettings, proxyPlans, proxySettings } from './settings.ts';
import type { World } from './world.ts';

/** The processes of the demo, in the order in which they were started. */
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

  /** The two services, each ready before the next starts: destination gets its certificate from identity. */
  async startControlPlane(): Promise<void> {
    const { ports } = this.#world;
    await this.start({
      name: 'identity',
      program: 'identity',
      settings: identitySettings(this.#world),
      adminPort: ports.identityAdmin,
    });
    await this.start({
      name: 'destination',
      program: 'destination',
      settings: destinationSettings(this.#world),
      adminPort: ports.destinationAdmin,
    });
  }

  /** The server and the three proxies, all at once. */
  async startDataPlane(): Promise<void> {
    await Promise.all([
      this.start({ name: 'shop-server', program: 'shop-server', args: [String(this.#world.ports.apiApp)] }),
      ...proxyPlans(this.#world).map((plan) =>
        this.start({
          name: `proxy ${plan.name}`,
          program: 'proxy',
          settings: proxySettings(this.#world, plan),
          adminPort: plan.admin,
        }),
      ),
    ]);
  }

  async start(options: Omit<ChildOptions, 'logFile'>): Promise<Child> {
    const logFile = this.#world.path('logs', `${options.name.replace(' ', '-')}.log`);
    const child = new Child({ ...options, logFile });
    this.children.push(child);
    await child.ready(this.#clock, this.#signal);
    return child;
  }

  /** Ends all of them, the last started first; answers with those that did not end with 0. */
  async stop(): Promise<string[]> {
    const proxiesFirst = this.children.toReversed();
    const ends = await Promise.all(
      proxiesFirst.map(async (child) => [child.name, await child.stop()] as const),
    );
    return ends
      .filter(([name, end]) => end !== 0 && !name.startsWith('shop-'))
      .map(([name, end]) => `${name}: ${end}`);
  }
}

import { makeAuthorities, makeNextIssuer } from '../../src/cli/demo/make-authorities.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { Changes } from './changes.ts';
import { Fleet } from './fleet.ts';
import { Gate } from './gate.ts';
import { Ledger } from './ledger.ts';
import { applications, createSoakWorld, kedgeProcesses } from './soak-world.ts';
import type { SoakWorld } from './soak-world.ts';
import { Traffic } from './traffic.ts';
import { Watch } from './watch.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const issuerCount = 3;
const lookEveryMs = 2_000;
const sayEveryMs = 15_000;
const tokensEveryMs = 60_000;

/** One soak, from its processes' start to their end. */
export class Soak {
  readonly world: SoakWorld;
  readonly ledger: Ledger;
  readonly watch: Watch;
  readonly changes: Changes;
  readonly fleet: Fleet;
  /** When traffic began and ended, in milliseconds since the soak's start. */
  fromMs = 0;
  toMs = 0;
  /** The end of each log when the first fault was seen; empty where there was none. */
  logsAtFirstFault = '';
  readonly #options: SoakOptions;
  readonly #traffic: Traffic;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  private constructor(world: SoakWorld, issuers: readonly string[], options: SoakOptions) {
    const epochMs = Date.now();
    this.world = world;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.ledger = new Ledger(
      () => Date.now() - epochMs,
      () => (this.logsAtFirstFault = this.#logTails()),
    );
    const { ledger } = this;
    this.fleet = new Fleet({ world, ledger, signal: this.#signal, onLost: () => this.#stop.abort() });
    this.watch = new Watch(world, this.fleet, epochMs);
    const gate = new Gate();
    this.changes = new Changes({ world, fleet: this.fleet, ledger, gate, issuers, signal: this.#signal });
    const { webToApi: api, webToSteady: steady, webToGate } = world.ports;
    this.#traffic = new Traffic({
      ports: { api, steady, gate: webToGate },
      ledger,
      gate,
      inMap: (server) => this.changes.inMap(server),
    });
  }

  /** Whether it ran to its end, and long enough for everything to happen and to be seen. */
  get whole(): boolean {
    return this.toMs - this.fromMs >= Math.max(this.#options.minutes, 1) * 60_000;
  }

  static async create(options: SoakOptions): Promise<Soak> {
    const world = await createSoakWorld();
    const issuers = [await makeAuthorities(world)];
    while (issuers.length < issuerCount)
      issuers.push(await makeNextIssuer(world, `ca-${issuers.length + 1}`));
    return new Soak(world, issuers, options);
  }

  /** Runs to its end, or until the signal or a lost process ends it early. Nothing is left running. */
  async run(): Promise<void> {
    const { world } = this;
    try {
      world.writeDestination(this.changes.map);
      this.#options.say(`Everything runs on this machine, in ${world.directory}.`);
      for (const group of [applications(world), ...kedgeProcesses(world)])
        await Promise.all(group.map((process) => this.fleet.start(process)));
      await this.changes.reachable();
      await this.#live();
    } catch (error) {
      this.#cannotGoOn(error);
    } finally {
      this.#stop.abort();
      await this.fleet.stop();
    }
  }

  /** The end of the log of each process as it is now. */
  #logTails(): string {
    const last = new Map(this.fleet.runs.map(({ child }) => [child.name, child.logTail().trim()]));
    return [...last]
      .filter(([, tail]) => tail !== '')
      .map(([name, tail]) => `== ${name}\n${tail.replaceAll(/^(.{300}).+$/gm, '$1...')}`)
      .join('\n');
  }

  async #live(): Promise<void> {
    const durationMs = this.#options.minutes * 60_000;
    this.fromMs = this.ledger.nowMs;
    const timers = [
      setInterval(() => void this.watch.look(), lookEveryMs),
      setInterval(() => this.#options.say(this.#line()), sayEveryMs),
      setInterval(() => this.world.writeTokens(new Date()), tokensEveryMs),
    ];
    this.#traffic.start();
    try {
      await Promise.race([this.changes.run(durationMs), systemClock.sleep(durationMs, this.#signal)]);
    } catch (error) {
      this.#cannotGoOn(error);
    } finally {
      this.#stop.abort();
      await this.#traffic.stop();
      this.toMs = this.ledger.nowMs;
      await this.watch.look();
      for (const timer of timers) clearInterval(timer);
    }
    await this.watch.expectNothingOpen(this.ledger);
  }

  /** What a signal or a lost process cuts short is told already. */
  #cannotGoOn(error: unknown): void {
    if (!this.#signal.aborted) this.ledger.fault('soak', errorMessage(error));
  }

  #line(): string {
    const { ledger, changes } = this;
    const seconds = Math.round((ledger.nowMs - this.fromMs) / 1000);
    const { requests, bytes, failed, wrong } = ledger.total;
    const { SIGTERM, SIGKILL } = this.fleet.restarts;
    const size = `${Math.round(bytes / 2 ** 20)} MB`;
    return `${String(seconds).padStart(5)} s  ${requests.toLocaleString('en')} requests, ${size}, ${failed} failed, ${wrong} wrong; ${SIGTERM + SIGKILL} restarts; now ${changes.doing}`;
  }
}

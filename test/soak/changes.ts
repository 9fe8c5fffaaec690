import { eventually } from '../../src/cli/demo/eventually.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { answers } from './conversation.ts';
import type { Fleet } from './fleet.ts';
import type { Gate } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { mapOf } from './mesh-map.ts';
import type { MapState, Server } from './mesh-map.ts';
import type { SoakWorld } from './soak-world.ts';

export interface ChangesOptions {
  readonly world: SoakWorld;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly gate: Gate;
  /** Directories of issuers under one anchor, to swap in turn. */
  readonly issuers: readonly string[];
  readonly signal: AbortSignal;
}

const issuerEveryMs = 5_000;
const betweenMs = 1_500;
/** How long a change of endpoints may take to be in force. */
const patienceMs = 20_000;

/**
 * Nothing is restarted after this share of the time: what is judged then has to have been in use for long. The first round is
 * let come to its end on a slow machine too, so that each was restarted once.
 */
const restartShare = { firstRound: 3 / 4, later: 1 / 2 };

type How = keyof Fleet['restarts'];

/** Changes what the mesh is made of while traffic goes on, one thing after another, and waits until each is in force. */
export class Changes {
  readonly #options: ChangesOptions;
  #restartUntilMs = 0;
  #state: MapState = { endpoints: ['north', 'south'], gateOpen: true, change: 0 };
  readonly counts = { issuers: 0, endpoints: 0, policies: 0 };
  /** What is being done, for whoever looks at a fault. */
  doing = '';

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /** The map as it is before the first change. */
  get map(): string {
    return mapOf(this.#options.world.ports, this.#state);
  }

  inMap(server: string): boolean {
    return this.#state.endpoints.some((name) => name.startsWith(server));
  }

  /** Goes on until the signal is aborted; throws where the mesh cannot go on, because a process did not come back. */
  async run(durationMs: number): Promise<void> {
    const fromMs = this.#options.ledger.nowMs;
    const swap = setInterval(() => this.#swapIssuer(), issuerEveryMs);
    try {
      await this.#rounds(fromMs, durationMs);
    } catch (error) {
      if (!this.#options.signal.aborted) throw error;
    } finally {
      clearInterval(swap);
    }
  }

  async #rounds(fromMs: number, durationMs: number): Promise<never> {
    for (let round = 0; ; round += 1) {
      this.#restartUntilMs =
        fromMs + durationMs * (round === 0 ? restartShare.firstRound : restartShare.later);
      const odd = round % 2 === 1;
      await this.#gate(false);
      await this.#restart('identity', odd ? 'SIGTERM' : 'SIGKILL');
      await this.#endpoints(['north']);
      // Its endpoint is out, so it gets nothing new; what is under way must still come to its end.
      await this.#restart('proxy south', 'SIGTERM');
      await this.#inForce(() => answers(this.#options.world.ports.webToSouth));
      await this.#endpoints(['south']);
      await this.#restart('destination', odd ? 'SIGKILL' : 'SIGTERM');
      await this.#gate(true);
      await this.#endpoints(['north', 'south']);
    }
  }

  /** Waits until the client reaches every server, south also while its endpoint is out. */
  async reachable(): Promise<void> {
    const { webToSteady, webToGate, webToSouth } = this.#options.world.ports;
    for (const port of [webToSteady, webToSouth, webToGate]) await this.#inForce(() => answers(port));
  }

  async #restart(name: string, how: How): Promise<void> {
    const { fleet, ledger } = this.#options;
    if (ledger.nowMs > this.#restartUntilMs) return;
    this.doing = `${name} restarted with ${how}`;
    await fleet.restart(name, how);
    await this.#pause();
  }

  async #endpoints(endpoints: readonly Server[]): Promise<void> {
    const { ledger } = this.#options;
    this.doing = `endpoints ${endpoints.join(' and ')}`;
    this.counts.endpoints += 1;
    const sinceMs = ledger.nowMs;
    this.#write({ endpoints });
    const letters = new Set(endpoints.map((name) => name.slice(0, 1)));
    await this.#inForce(() => ledger.answeredOnlyBy(letters, sinceMs));
    await this.#pause();
  }

  async #gate(gateOpen: boolean): Promise<void> {
    const { gate, ledger } = this.#options;
    this.doing = `gate ${gateOpen ? 'open' : 'shut'}`;
    this.counts.policies += 1;
    gate.change(gateOpen, ledger.nowMs);
    this.#write({ gateOpen });
    await this.#inForce(() => gate.settled);
    await this.#pause();
  }

  async #inForce(check: () => Promise<boolean> | boolean): Promise<void> {
    const { ledger, signal } = this.#options;
    const options = {
      clock: systemClock,
      signal,
      withinMs: patienceMs,
      what: () => `${this.doing} to be in force`,
    };
    await eventually(check, options).catch((error: unknown) => {
      signal.throwIfAborted();
      ledger.fault('mesh', errorMessage(error));
    });
  }

  /** Every writing changes names and bystanders of the authorizations too. */
  #write(change: Partial<MapState>): void {
    this.#state = { ...this.#state, ...change, change: this.#state.change + 1 };
    this.#options.world.writeDestination(this.map);
  }

  #swapIssuer(): void {
    const { issuers, world } = this.#options;
    this.counts.issuers += 1;
    const next = issuers[this.counts.issuers % issuers.length];
    if (next !== undefined) world.useIssuer(next);
  }

  #pause(): Promise<void> {
    return systemClock.sleep(betweenMs, this.#options.signal);
  }
}

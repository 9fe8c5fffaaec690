import { Population } from './population.ts';
import { day, type Plan, type Trouble, type Upheaval } from './plan.ts';
import { SimulationRecord } from './record.ts';
import { Replica } from './replica.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedCa } from './simulated-ca.ts';
import { SimulatedProxy } from './simulated-proxy.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly proxies: number;
  readonly days: number;
  readonly plan: Plan;
  /** KEDGE_ISSUER_RATE of each of the replicas. */
  readonly ratePerReplica: number;
  /** The share of proxies that look at no advice. */
  readonly stubbornShare: number;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export const replicaCount = 3;
const start = new Date('2026-01-01T00:00:00Z');
const minute = 60_000;
export const sampleMs = 10 * minute;
const proxiesPerNode = 100;
/** Within this all pods have started that start at once. */
const startsWithinMs = minute;
const rollsWithinMs = 10 * minute;
const downMs = 15_000;

/** A mesh, its identity service and its CA over some weeks. Whatever chance decides, the seed decides. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly record: SimulationRecord;
  readonly #clock = new VirtualClock(start);
  readonly #random: () => number;
  readonly #ca: SimulatedCa;
  readonly #replicas: readonly Replica[];
  readonly #proxies: readonly SimulatedProxy[];

  constructor(options: SimulationOptions) {
    const { seed, proxies, days, ratePerReplica: rate } = options;
    const clock = this.#clock;
    const random = seededRandom(seed);
    this.options = options;
    this.#random = random;
    this.record = new SimulationRecord(clock.nowMs, days * day);
    this.#ca = new SimulatedCa({ clock, random, onCall: () => this.record.call(clock.nowMs) });
    const population = new Population(proxies);
    const { domain, tokens, parseCsr } = population;
    const needs = { clock, random, ca: this.#ca, domain, tokens, parseCsr, rate };
    this.#replicas = Array.from({ length: replicaCount }, () => new Replica(needs));
    this.#proxies = this.#settle(population);
  }

  /** Until the days are over, or the signal is aborted. */
  async run(): Promise<void> {
    const { plan, days, signal, say } = this.options;
    for (const trouble of plan.troubles) this.#bring(trouble);
    for (const upheaval of plan.upheavals) this.#at(upheaval.atMs, () => this.#upset(upheaval));
    for (const proxy of this.#proxies) proxy.restart(this.#random() * startsWithinMs);
    for (let atMs = sampleMs; atMs <= days * day; atMs += sampleMs) this.#at(atMs, () => this.#sample());
    for (let over = 1; over <= Math.ceil(days) && signal?.aborted !== true; over += 1) {
      await this.#clock.run(start.getTime() + Math.min(over, days) * day, signal);
      say?.(`day ${over} of ${days}: ${this.record.given} certificates, ${this.record.expired} expired`);
    }
  }

  #settle(population: Population): SimulatedProxy[] {
    const { proxies, stubbornShare } = this.options;
    const { record } = this;
    const around = { clock: this.#clock, random: this.#random, record, connect: () => this.#connect() };
    return Array.from({ length: proxies }, (_, index) => {
      const accountNumber = index % population.accounts.length;
      const account = population.accounts[accountNumber];
      if (account === undefined) throw new RangeError('expected an account for each proxy');
      const node = Math.floor(index / proxiesPerNode);
      const address = `10.${Math.floor(node / 250)}.${node % 250}.1`;
      const stubborn = this.#random() < stubbornShare;
      return new SimulatedProxy(around, { index, accountNumber, account, address, stubborn });
    });
  }

  /** Clients spread over the replicas that run. */
  #connect(): Replica {
    const up = this.#replicas.filter(({ isUp }) => isUp);
    const chosen = up[Math.floor(this.#random() * up.length)];
    if (chosen === undefined) throw new Error('expected a replica that runs, got none');
    return chosen;
  }

  #at(ms: number, act: () => void): void {
    this.#clock.after(start.getTime() + ms - this.#clock.nowMs, act);
  }

  #bring({ kind, fromMs, untilMs }: Trouble): void {
    this.#at(fromMs, () => {
      this.#ca.trouble = kind;
    });
    this.#at(untilMs, () => {
      this.#ca.trouble = undefined;
      this.record.wellSinceMs = this.#clock.nowMs;
    });
  }

  #upset(upheaval: Upheaval): void {
    switch (upheaval.kind) {
      case 'all-restart':
        for (const proxy of this.#proxies) proxy.restart(this.#random() * startsWithinMs);
        return;
      case 'roll':
        for (const proxy of this.#proxies) {
          if ((proxy.accountNumber * 0.618_034) % 1 < upheaval.share)
            proxy.restart(this.#random() * rollsWithinMs);
        }
        return;
      case 'identity-restart':
        this.#replicas.slice(0, upheaval.replicas).forEach((replica, index) => {
          this.#clock.after(index * 4 * downMs, () => {
            replica.stop();
            this.#clock.after(downMs, () => replica.start());
          });
        });
    }
  }

  #sample(): void {
    const { nowMs } = this.#clock;
    let soonestMs = Infinity;
    let without = 0;
    for (const proxy of this.#proxies) {
      proxy.look();
      if (proxy.goodUntilMs === 0) without += 1;
      else soonestMs = Math.min(soonestMs, proxy.goodUntilMs - nowMs);
    }
    this.record.soonestMs.push(soonestMs);
    this.record.without.push(without);
  }
}

import type { CertifyAsk } from '../../src/identity/certify.ts';
import { renewalDelay, retryDelay } from '../../src/rpc/renewal-schedule.ts';
import { Backoff } from '../../src/runtime/backoff.ts';
import { isAppError } from '../../src/runtime/errors.ts';
import type { Timer } from '../../src/runtime/clock.ts';
import { hour } from './plan.ts';
import { Population, type Account } from './population.ts';
import type { SimulationRecord } from './record.ts';
import type { Replica } from './replica.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What all proxies of a run share. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly record: SimulationRecord;
  /** One that runs; the same for a connection as long as it does. */
  readonly connect: () => Replica;
}

/** As in rpc/certifier.ts, and the proxy's own bounds. */
const backoffPolicy = { minMs: 250, maxMs: 10_000, jitter: 0.5 };
const bounds = { minRefreshMs: 10_000, maxRefreshMs: 24 * hour };

/** A client of another make renews at the last moment that is right, and looks at no advice. */
const stubbornRetryMs = 10_000;
const never = (): number => 0;

export interface ProxyOptions {
  readonly index: number;
  readonly accountNumber: number;
  readonly account: Account;
  readonly address: string;
  /** Looks at no advice when to come back. */
  readonly stubborn: boolean;
}

/** A proxy by what it asks and when; the schedule is that of the real one. */
export class SimulatedProxy {
  readonly #around: Surroundings;
  readonly #options: ProxyOptions;
  readonly #backoff: Backoff;
  #generation = 0;
  #startedMs = 0;
  #replica: Replica | undefined;
  /** End of the certificate that was new when the connection was made. */
  #shownMs = 0;
  #timer: Timer | undefined;
  #token: Uint8Array = new Uint8Array();
  /** 0 while it has none. */
  goodUntilMs = 0;

  constructor(around: Surroundings, options: ProxyOptions) {
    this.#around = around;
    this.#options = options;
    this.#backoff = new Backoff(backoffPolicy, around.random);
  }

  get accountNumber(): number {
    return this.#options.accountNumber;
  }

  /** The pod is replaced by a new one, which asks after so long. */
  restart(afterMs: number): void {
    const { clock, record } = this.#around;
    this.look();
    if (this.goodUntilMs > 0) record.note(clock.nowMs, this.#options.index, 'lost');
    this.#generation += 1;
    this.goodUntilMs = 0;
    this.#replica = undefined;
    this.#startedMs = clock.nowMs + afterMs;
    this.#token = Population.tokenOf(
      this.#options.accountNumber,
      `${this.#options.index}.${this.#generation}`,
    );
    this.#backoff.reset();
    this.#wait(afterMs);
  }

  /** The pod runs with a certificate that is good until then, and is to renew it after so long. */
  resume(goodUntilMs: number, afterMs: number): void {
    this.#token = Population.tokenOf(this.#options.accountNumber, `${this.#options.index}.0`);
    this.goodUntilMs = goodUntilMs;
    this.#wait(afterMs);
  }

  /** Counts a certificate that has ended without a successor; once. */
  look(): void {
    const { clock, record } = this.#around;
    if (this.goodUntilMs === 0 || this.goodUntilMs > clock.nowMs) return;
    record.expired += 1;
    record.note(clock.nowMs, this.#options.index, 'expired');
    this.goodUntilMs = 0;
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#around.clock.after(ms, () => void this.#attempt());
  }

  async #attempt(): Promise<void> {
    const generation = this.#generation;
    const isPast = (): boolean => generation !== this.#generation;
    const { clock, record } = this.#around;
    record.note(clock.nowMs, this.#options.index, 'asked');
    try {
      const { leaf } = await this.#connection().certify(this.#ask());
      if (!isPast()) this.#given(leaf.notAfter.getTime());
    } catch (error) {
      if (!isPast()) this.#refused(error);
    }
  }

  #given(goodUntilMs: number): void {
    const { clock, record, random } = this.#around;
    const { index, stubborn } = this.#options;
    this.look();
    record.given += 1;
    record.note(clock.nowMs, index, 'given');
    if (this.goodUntilMs === 0) record.started(clock.nowMs, this.#startedMs);
    else record.closestMs = Math.min(record.closestMs, this.goodUntilMs - clock.nowMs);
    this.goodUntilMs = goodUntilMs;
    // Whoever was a stranger connects anew to show what it has now.
    if (this.#shownMs === 0) this.#shownMs = goodUntilMs;
    this.#backoff.reset();
    this.#wait(renewalDelay(goodUntilMs - clock.nowMs, bounds, stubborn ? never : random));
  }

  #refused(error: unknown): void {
    const { clock, record } = this.#around;
    record.refused += 1;
    record.note(clock.nowMs, this.#options.index, 'refused');
    const leftMs = this.goodUntilMs - clock.nowMs;
    const advisedMs = isAppError(error) ? error.retryAfterMs : undefined;
    const backoffMs = this.#backoff.next();
    this.#wait(this.#options.stubborn ? stubbornRetryMs : retryDelay({ backoffMs, advisedMs, leftMs }));
  }

  #connection(): Replica {
    if (this.#replica?.isUp === true) return this.#replica;
    this.#replica = this.#around.connect();
    this.#shownMs = this.goodUntilMs;
    return this.#replica;
  }

  #ask(): Omit<CertifyAsk, 'signal'> {
    const { account, address } = this.#options;
    const { dnsName: identity } = account.identity;
    const shown = this.#shownMs === 0 ? {} : { goodUntil: new Date(this.#shownMs) };
    const caller = { address, name: this.#shownMs === 0 ? undefined : identity, ...shown };
    return { identity, token: this.#token, csr: account.csr, caller };
  }
}

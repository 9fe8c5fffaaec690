import type { Clock } from '../../runtime/clock.ts';
import { issuerErrors } from '../errors.ts';
import { Appointments } from './appointments.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { GuardMetrics, ShedReason } from './guard-metrics.ts';
import type { Throughput } from './throughput.ts';
import type { Standing, Urgency } from './urgency.ts';

/** The longer the CA is away already, the longer those stay away who can: what has lasted hours seldom ends this minute. */
const shareOfOutage = 1 / 20;

/** Those who are sent away while the CA is away come back no faster than this, in all: each return costs a call. */
const mostReturnsPerMs = 50 / 1_000;

export interface RefusalNeeds {
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: GuardMetrics;
  readonly breaker: CircuitBreaker;
  readonly throughput: Throughput;
}

/** Tells those who get no turn why, and when to come back. */
export class Refusals {
  readonly #needs: RefusalNeeds;
  /** Those who are pressed are not to wait until all others have had their turn. */
  readonly #appointments: Readonly<Record<Urgency, Appointments>>;

  constructor(needs: RefusalNeeds) {
    this.#needs = needs;
    const book = (): Appointments => new Appointments(needs.clock, needs.random);
    this.#appointments = { expiring: book(), first: book(), early: book() };
  }

  /**
   * @param waiting how many wait for a turn
   * @returns AppError `issuer_outage` or `issuer_overloaded`, with the time to come back
   */
  refuse(
    reason: ShedReason,
    { urgency, bearableMs }: Pick<Standing, 'urgency' | 'bearableMs'>,
    waiting: number,
  ): Error {
    const { clock, metrics, breaker, throughput } = this.#needs;
    metrics.shed.inc({ reason, urgency });
    const { perMs } = throughput;
    const state = breaker.state.value;
    if (state.state !== 'closed') {
      const outageMs = clock.now().getTime() - state.since.getTime();
      const fromMs = Math.max(breaker.waitMs, outageMs * shareOfOutage);
      const booking = { fromMs, perMs: Math.min(perMs, mostReturnsPerMs) };
      const retryAfterMs = this.#appointments[urgency].next({ ...booking, bearableMs });
      const message = `expected a CA that answers, got none since ${state.since.toISOString()} (${state.reason})`;
      return issuerErrors.error('issuer_outage', message, { retryAfterMs });
    }
    // Before the line has come to its end, for it must not run out of those who are pressed.
    const booking = { fromMs: waiting / perMs / 2, perMs };
    const retryAfterMs = this.#appointments[urgency].next({ ...booking, bearableMs });
    const message = `expected a turn at the CA in time, got none: ${waiting} more urgent ones wait`;
    return issuerErrors.error('issuer_overloaded', message, { retryAfterMs });
  }
}

import type { Counter, Gauge, Histogram, Metrics } from '../../runtime/metrics.ts';
import type { BreakerState } from './circuit-breaker.ts';
import { urgencies } from './urgency.ts';

/** Why a request was sent away: the CA is away; it would not be served in time; it was not served in time. */
export type ShedReason = 'outage' | 'overload' | 'late';

export interface GuardMetrics {
  readonly breaker: Gauge<'state'>;
  readonly waiting: Gauge<'urgency'>;
  readonly waited: Histogram<'urgency'>;
  readonly shed: Counter<'reason' | 'urgency'>;
  readonly heldBack: Counter;
}

/** Seconds; nobody waits longer than half of KEDGE_ISSUER_TIMEOUT. */
const waitedBuckets = [0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30];

export function guardMetrics(metrics: Metrics): GuardMetrics {
  return {
    breaker: metrics.gauge(
      'kedge_issuer_breaker_state',
      '1 for the state that the circuit breaker before the CA is in (closed, half-open, open), 0 for the others.',
      ['state'],
    ),
    waiting: metrics.gauge(
      'kedge_issuer_waiting',
      'Requests that wait for their turn at the CA, by urgency (first, expiring, early).',
      ['urgency'],
    ),
    waited: metrics.histogram(
      'kedge_issuer_waited_seconds',
      'Time that requests waited for their turn at the CA, by urgency.',
      ['urgency'],
      waitedBuckets,
    ),
    shed: metrics.counter(
      'kedge_issuer_shed_total',
      'Requests that were told to come back later before they reached the CA, by reason (outage, overload, late) and urgency.',
      ['reason', 'urgency'],
    ),
    heldBack: metrics.counter(
      'kedge_issuer_held_back_total',
      'Calls that were refused because the CA is asked too much, by a quota of its own or by KEDGE_CERT_MANAGER_MAX_REQUESTS; each gets another turn while there is time.',
    ),
  };
}

const states: readonly BreakerState['state'][] = ['closed', 'half-open', 'open'];

/** From the first scrape on every series is there, so that an alert finds what it asks for. */
export function showBreaker({ breaker }: GuardMetrics, { state }: BreakerState): void {
  for (const each of states) breaker.set({ state: each }, each === state ? 1 : 0);
}

export function showNobodyWaits({ waiting }: GuardMetrics): void {
  for (const urgency of urgencies) waiting.set({ urgency }, 0);
}

import type { Counter, Gauge, Histogram, Metrics } from '../runtime/metrics.ts';

/** Seconds; a refusal takes microseconds, a certificate about a millisecond where the issuer is local. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 10];

export interface IdentityMetrics {
  readonly answers: Counter<'decision' | 'code'>;
  readonly seconds: Histogram<'decision'>;
  readonly degraded: Gauge<'part'>;
}

export function identityMetrics(metrics: Metrics): IdentityMetrics {
  return {
    answers: metrics.counter(
      'kedge_identity_answers_total',
      'Answers to requests for a certificate, by decision (given, refused) and error code (ok when given).',
      ['decision', 'code'],
    ),
    seconds: metrics.histogram(
      'kedge_identity_answer_seconds',
      'Time from a request for a certificate to its answer, by decision.',
      ['decision'],
      durationBuckets,
    ),
    degraded: metrics.gauge(
      'kedge_identity_degraded',
      '1 while a part of the identity service goes on with what it had, or cannot go on; /ready says why.',
      ['part'],
    ),
  };
}

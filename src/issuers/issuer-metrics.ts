import type { Clock } from '../runtime/clock.ts';
import type { Counter, Histogram, Metrics } from '../runtime/metrics.ts';
import type { IssuerState } from './issuer.ts';

/** Seconds; a local signature takes about a millisecond, a CA across the network up to the deadline. */
const durationBuckets = [0.001, 0.0025, 0.01, 0.05, 0.25, 1, 2.5, 5, 10];

export interface IssuerMetrics {
  readonly requests: Counter<'result'>;
  readonly seconds: Histogram<'result'>;
  readonly refusedAnswers: Counter<'rule'>;
  readonly anchored: Counter<'anchor'>;
  readonly shortened: Counter;
  readonly candidates: Counter<'result'>;
}

export function issuerMetrics(metrics: Metrics): IssuerMetrics {
  return {
    requests: metrics.counter(
      'kedge_issuer_requests_total',
      'Certificates asked of the issuer, by result (ok, unavailable, refused, cancelled, error).',
      ['result'],
    ),
    seconds: metrics.histogram(
      'kedge_issuer_request_seconds',
      'Time the issuer took to answer, by result.',
      ['result'],
      durationBuckets,
    ),
    refusedAnswers: metrics.counter(
      'kedge_issuer_refused_answers_total',
      'Certificates that came back from the issuer and were thrown away, by the rule they broke.',
      ['rule'],
    ),
    anchored: metrics.counter(
      'kedge_issuer_anchored_total',
      'Certificates given, by SHA-256 of each published anchor that they chain to for their whole life.',
      ['anchor'],
    ),
    shortened: metrics.counter(
      'kedge_issuer_shortened_total',
      'Certificates given that end more than two minutes sooner than asked, because the CA behind the issuer says so.',
      [],
    ),
    candidates: metrics.counter(
      'kedge_issuer_candidates_total',
      'New CA key pairs that were looked at, by result (taken, refused).',
      ['result'],
    ),
  };
}

/** The contract's own gauge (contract 1.9); zero while no issuer is ready, so that one alert rule is enough. */
export function declareIssuerTtl(metrics: Metrics, clock: Clock, state: () => IssuerState): void {
  metrics.gauge(
    'issuer_cert_ttl_seconds',
    'Seconds until the issuer, or a certificate above it, ends; 0 while there is no issuer.',
    [],
    (gauge) => {
      const present = state();
      const endsMs = present.state === 'ready' ? present.notAfter.getTime() - clock.now().getTime() : 0;
      gauge.set(endsMs / 1000);
    },
  );
}

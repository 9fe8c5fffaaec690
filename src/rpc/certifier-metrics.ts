import type { Counter, Gauge, Metrics } from '../runtime/metrics.ts';

/** Contract 8.3. */
export interface CertifierMetrics {
  readonly expiration: Gauge;
  readonly refreshed: Gauge;
  readonly refreshes: Counter<'result'>;
}

export function certifierMetrics(metrics: Metrics): CertifierMetrics {
  return {
    expiration: metrics.gauge(
      'control_identity_cert_expiration_timestamp_seconds',
      "End of this process's certificate, seconds since 1970.",
    ),
    refreshed: metrics.gauge(
      'control_identity_cert_refresh_timestamp_seconds',
      "When this process's certificate was last replaced, seconds since 1970.",
    ),
    refreshes: metrics.counter(
      'control_identity_cert_refreshes_total',
      'Requests for a certificate, by result: ok or error.',
      ['result'],
    ),
  };
}

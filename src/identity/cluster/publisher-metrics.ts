import type { Counter, Metrics } from '../../runtime/metrics.ts';

export interface PublisherMetrics {
  readonly writes: Counter<'result'>;
}

export function publisherMetrics(metrics: Metrics): PublisherMetrics {
  return {
    writes: metrics.counter(
      'kedge_trust_bundle_copies_total',
      'Copies of the trust bundle that were written into namespaces, by result (ok, failed).',
      ['result'],
    ),
  };
}

import type { Counter, Gauge, Histogram, Metrics } from '../runtime/metrics.ts';

/** Seconds; a read takes milliseconds, a long list some seconds. */
const requestBuckets = [0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 30];

/** What a process counts of its dealings with the API server. */
export interface KubeMetrics {
  readonly requests: Counter<'verb' | 'resource' | 'result'>;
  readonly seconds: Histogram<'verb'>;
  readonly objects: Gauge<'resource'>;
  readonly synced: Gauge<'resource'>;
  readonly confirmed: Gauge<'resource'>;
  readonly lists: Counter<'resource' | 'reason'>;
  readonly watches: Counter<'resource' | 'end'>;
  readonly events: Counter<'result'>;
}

export function kubeMetrics(metrics: Metrics): KubeMetrics {
  return {
    requests: metrics.counter(
      'kedge_kube_requests_total',
      'Requests to the API server, by result (ok, or the code of the error).',
      ['verb', 'resource', 'result'],
    ),
    seconds: metrics.histogram(
      'kedge_kube_request_seconds',
      'Time until the API server had answered in full; for a watch, until it had begun.',
      ['verb'],
      requestBuckets,
    ),
    objects: metrics.gauge('kedge_kube_objects', 'Objects that are known and kept.', ['resource']),
    synced: metrics.gauge('kedge_kube_synced', '1 once everything there is has been seen, 0 before.', [
      'resource',
    ]),
    confirmed: metrics.gauge(
      'kedge_kube_confirmed_timestamp_seconds',
      'When the API server last said anything of these objects: a list, an event, a bookmark, or that a watch stands. What is known of them is as old as that.',
      ['resource'],
    ),
    lists: metrics.counter(
      'kedge_kube_lists_total',
      'Times that everything was listed, by reason (first, expired, behind, outage, malformed, version).',
      ['resource', 'reason'],
    ),
    watches: metrics.counter(
      'kedge_kube_watches_total',
      'Watches that have ended, by how (timeout, silent, or the code of the error).',
      ['resource', 'end'],
    ),
    events: metrics.counter(
      'kedge_kube_events_total',
      'Events about objects, by what became of them: written, counted in one that was written before, or lost.',
      ['result'],
    ),
  };
}

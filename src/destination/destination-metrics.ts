import type { StreamWriter } from '../rpc/stream-writer.ts';
import type { Counter, Gauge, Metrics } from '../runtime/metrics.ts';

export const STREAM_KINDS = ['get', 'get_profile', 'watch_port', 'watch_outbound'] as const;

export type StreamKind = (typeof STREAM_KINDS)[number];

/** What the destination process counts beside what every process and every server does. */
export class DestinationMetrics {
  readonly streams: Gauge<'api'>;
  readonly fileLoads: Counter<'result'>;
  readonly fileLoaded: Gauge;
  readonly viewFailures: Counter<'view'>;
  readonly #updates: Counter<'api'>;
  #subscriptions: () => Readonly<Record<StreamKind, number>> = () => ({
    get: 0,
    get_profile: 0,
    watch_port: 0,
    watch_outbound: 0,
  });

  constructor(metrics: Metrics) {
    this.streams = metrics.gauge('kedge_destination_streams', 'Streams that proxies hold open now.', ['api']);
    this.#updates = metrics.counter(
      'kedge_destination_updates_total',
      'Messages written to streams, first answers included.',
      ['api'],
    );
    this.fileLoads = metrics.counter(
      'kedge_destination_file_loads_total',
      'Readings of the destination file that found it changed, by whether its content was taken into use.',
      ['result'],
    );
    this.fileLoaded = metrics.gauge(
      'kedge_destination_file_loaded_timestamp_seconds',
      'When the content of the destination file that is in use was taken into use.',
    );
    this.viewFailures = metrics.counter(
      'kedge_destination_view_failures_total',
      'Answers out of the objects of a cluster that could not be made anew, by what they are (endpoints, profile, policy). The last answer stays in use until the next change, and the log says of what.',
      ['view'],
    );
    metrics.gauge(
      'kedge_destination_subscriptions',
      'Distinct targets, views and ports that the open streams share.',
      ['api'],
      (gauge) => {
        const now = this.#subscriptions();
        for (const api of STREAM_KINDS) gauge.set({ api }, now[api]);
      },
    );
  }

  /** `sizes` gives the distinct subscriptions that the streams share. */
  countSubscriptions(sizes: () => Readonly<Record<StreamKind, number>>): void {
    this.#subscriptions = sizes;
  }

  /** The same writer, its messages counted. */
  counting<T>(api: StreamKind, out: StreamWriter<T>): StreamWriter<T> {
    return {
      signal: out.signal,
      end: (error) => out.end(error),
      write: (message) => {
        this.#updates.inc({ api });
        out.write(message);
      },
      writeMade: (make) =>
        out.writeMade(() => {
          const messages = make();
          this.#updates.inc({ api }, messages.length);
          return messages;
        }),
    };
  }
}

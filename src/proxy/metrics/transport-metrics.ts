import type { Clock } from '../../runtime/clock.ts';
import type { Counter, Gauge, Labels, Metrics } from '../../runtime/metrics.ts';

/** Contract 8.3; a label that says nothing of a connection is empty, which Prometheus takes for absent. */
const labelNames = [
  'direction',
  'peer',
  'target_addr',
  'target_ip',
  'target_port',
  'tls',
  'no_tls_reason',
  'client_id',
  'server_id',
  'sni',
  'srv_group',
  'srv_kind',
  'srv_name',
  'srv_port',
  'dst_namespace',
  'dst_service',
  'dst_serviceaccount',
  'dst_pod',
  'dst_deployment',
  'dst_statefulset',
  'dst_daemonset',
  'dst_job',
  'dst_control_plane_ns',
  'dst_zone',
  'zone_locality',
] as const;

type LabelName = (typeof labelNames)[number];

export type TransportLabels = Readonly<Partial<Record<LabelName, string>>>;

const closeLabelNames = [...labelNames, 'errno'] as const;

/** Bytes read from and written to a connection so far. */
export interface Traffic {
  read(): number;
  written(): number;
}

/** One side of a connection while it is open. */
export interface OpenTransport {
  /** From now on these are the bytes of the connection; they are asked for only when metrics are read. */
  carries(traffic: Traffic): void;
  /** The connection is over; `errno` is empty where it ended in order. */
  closed(errno: string): void;
}

interface Series {
  readonly labels: Labels<LabelName>;
  readonly open: Set<{ traffic: Traffic | undefined; readBefore: number; writtenBefore: number }>;
  readonly errnos: Set<string>;
  lastUsedMs: number;
}

/** How long labels that no connection has any more are still shown (contract 2.3, METRICS_RETAIN_IDLE). */
const retainIdleMs = 10 * 60_000;

/** Labels hold what strangers send (a server name), so their number must have an end. */
const maxSeries = 4096;

/**
 * The transport metrics of contract 8.3. Copying bytes costs nothing here: each connection's totals are read when
 * somebody asks for the metrics, and once more when it ends.
 */
export class TransportMetrics {
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #connections: Gauge<LabelName>;
  readonly #opened: Counter<LabelName>;
  readonly #read: Counter<LabelName>;
  readonly #written: Counter<LabelName>;
  readonly #closed: Counter<(typeof closeLabelNames)[number]>;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    // Declared first, since metrics are collected in this order and the byte counters are brought up to date here.
    this.#connections = metrics.gauge(
      'tcp_open_connections',
      'Connections that are open now.',
      labelNames,
      () => this.#collect(),
    );
    this.#opened = metrics.counter('tcp_open_total', 'Connections opened.', labelNames);
    this.#read = metrics.counter('tcp_read_bytes_total', 'Bytes read from connections.', labelNames);
    this.#written = metrics.counter('tcp_write_bytes_total', 'Bytes written to connections.', labelNames);
    this.#closed = metrics.counter(
      'tcp_close_total',
      'Connections closed; errno is empty where they ended in order.',
      closeLabelNames,
    );
  }

  opened(given: TransportLabels): OpenTransport {
    const series = this.#seriesOf(given);
    const entry = { traffic: undefined as Traffic | undefined, readBefore: 0, writtenBefore: 0 };
    series.open.add(entry);
    this.#opened.inc(series.labels);
    this.#connections.inc(series.labels);
    return {
      carries: (traffic) => {
        entry.traffic = traffic;
      },
      closed: (errno) => {
        if (!series.open.delete(entry)) return;
        this.#count(series, entry);
        series.lastUsedMs = this.#clock.now().getTime();
        series.errnos.add(errno);
        this.#closed.inc({ ...series.labels, errno });
        this.#connections.dec(series.labels);
      },
    };
  }

  #seriesOf(given: TransportLabels): Series {
    const labels = Object.fromEntries(
      labelNames.map((name) => [name, given[name] ?? '']),
    ) as Labels<LabelName>;
    const key = Object.values(labels).join('\0');
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= maxSeries) this.#forget(() => true);
    const made: Series = {
      labels,
      open: new Set(),
      errnos: new Set(),
      lastUsedMs: this.#clock.now().getTime(),
    };
    this.#series.set(key, made);
    return made;
  }

  #collect(): void {
    const now = this.#clock.now().getTime();
    this.#forget(({ lastUsedMs }) => now - lastUsedMs > retainIdleMs);
    for (const series of this.#series.values()) {
      for (const entry of series.open) this.#count(series, entry);
    }
  }

  #count(
    series: Series,
    entry: { traffic: Traffic | undefined; readBefore: number; writtenBefore: number },
  ): void {
    if (entry.traffic === undefined) return;
    const [read, written] = [entry.traffic.read(), entry.traffic.written()];
    this.#read.inc(series.labels, read - entry.readBefore);
    this.#written.inc(series.labels, written - entry.writtenBefore);
    entry.readBefore = read;
    entry.writtenBefore = written;
  }

  /** Drops series without open connections. */
  #forget(which: (series: Series) => boolean): void {
    for (const [key, series] of this.#series) {
      if (series.open.size > 0 || !which(series)) continue;
      this.#series.delete(key);
      for (const metric of [this.#connections, this.#opened, this.#read, this.#written])
        metric.remove(series.labels);
      for (const errno of series.errnos) this.#closed.remove({ ...series.labels, errno });
    }
  }
}

import type { Clock } from '../../runtime/clock.ts';
import type { Labels, Metrics } from '../../runtime/metrics.ts';

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

interface Open {
  traffic: Traffic | undefined;
}

/** All connections with the same labels. */
interface Series {
  readonly labels: Labels<LabelName>;
  opened: number;
  readonly open: Set<Open>;
  /** Bytes of those that are closed. */
  read: number;
  written: number;
  /** How many were closed, by errno. */
  readonly closed: Map<string, number>;
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

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    metrics.counter('tcp_open_total', 'Connections opened.', labelNames, (counter) => {
      this.#forgetIdle();
      for (const { labels, opened } of this.#series.values()) counter.inc(labels, opened);
    });
    metrics.gauge('tcp_open_connections', 'Connections that are open now.', labelNames, (gauge) => {
      for (const { labels, open } of this.#series.values()) gauge.set(labels, open.size);
    });
    metrics.counter('tcp_read_bytes_total', 'Bytes read from connections.', labelNames, (counter) => {
      for (const series of this.#series.values()) counter.inc(series.labels, total(series, 'read'));
    });
    metrics.counter('tcp_write_bytes_total', 'Bytes written to connections.', labelNames, (counter) => {
      for (const series of this.#series.values()) counter.inc(series.labels, total(series, 'written'));
    });
    const closedHelp = 'Connections closed; errno is empty where they ended in order.';
    metrics.counter('tcp_close_total', closedHelp, [...labelNames, 'errno'], (counter) => {
      for (const { labels, closed } of this.#series.values()) {
        for (const [errno, count] of closed) counter.inc({ ...labels, errno }, count);
      }
    });
  }

  opened(given: TransportLabels): OpenTransport {
    const series = this.#seriesOf(given);
    const open: Open = { traffic: undefined };
    series.open.add(open);
    series.opened += 1;
    return {
      carries: (traffic) => {
        open.traffic = traffic;
      },
      closed: (errno) => {
        if (!series.open.delete(open)) return;
        series.read += open.traffic?.read() ?? 0;
        series.written += open.traffic?.written() ?? 0;
        series.closed.set(errno, (series.closed.get(errno) ?? 0) + 1);
        series.lastUsedMs = this.#now();
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
    if (this.#series.size >= maxSeries) this.#forgetIdle(0);
    const made: Series = {
      labels,
      opened: 0,
      open: new Set(),
      read: 0,
      written: 0,
      closed: new Map(),
      lastUsedMs: this.#now(),
    };
    this.#series.set(key, made);
    return made;
  }

  #forgetIdle(longerThanMs = retainIdleMs): void {
    const before = this.#now() - longerThanMs;
    for (const [key, { open, lastUsedMs }] of this.#series) {
      if (open.size === 0 && lastUsedMs <= before) this.#series.delete(key);
    }
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function total(series: Series, which: 'read' | 'written'): number {
  let sum = series[which];
  for (const { traffic } of series.open) sum += traffic?.[which]() ?? 0;
  return sum;
}

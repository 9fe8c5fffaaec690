import { maxDescriptors, openDescriptors } from './descriptors.ts';
import type { Metrics } from './metrics.ts';

/** The `process_*` metrics that Prometheus clients agree on, read at each scrape and at no other time. */
export function declareProcessMetrics(metrics: Metrics): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.counter(
    'process_cpu_seconds_total',
    'User and system CPU time spent, in seconds.',
    [],
    (counter) => {
      const { user, system } = process.cpuUsage();
      counter.inc((user + system) / 1e6);
    },
  );
  metrics.gauge('process_resident_memory_bytes', 'Resident memory, in bytes.', [], (gauge) =>
    gauge.set(process.memoryUsage.rss()),
  );
  metrics
    .gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch.')
    .set(startedAt);
  metrics.gauge('process_open_fds', 'Open file descriptors.', [], (gauge) => gauge.set(openDescriptors()));
  metrics.gauge('process_max_fds', 'How many file descriptors may be open.', [], (gauge) =>
    gauge.set(maxDescriptors()),
  );
}

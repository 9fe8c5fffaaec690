import type { Log } from './log.ts';
import type { LogOutput } from './log-output.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

export function declareLostRecords(metrics: Metrics, lost: () => number): void {
  metrics.counter(
    'kedge_log_lost_records_total',
    'Log records that standard output did not take: the disk is full, or their reader is gone or stands still.',
    [],
    (counter) => counter.inc(lost()),
  );
}

/** Tells of losses where there is no need of the log, and in it once it is written again. */
export function tellLostRecords(output: LogOutput, log: Log, readiness: Readiness): void {
  let told = 0;
  output.problem.subscribe((problem) => {
    readiness.degraded('log', problem);
    if (problem !== undefined) return;
    const lost = output.lost - told;
    told = output.lost;
    if (lost > 0) log.warn({ lost }, 'log records were lost');
  });
}

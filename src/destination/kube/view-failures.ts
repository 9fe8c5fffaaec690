import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { RefusalLog } from '../../runtime/refusal-log.ts';
import type { DestinationMetrics } from '../destination-metrics.ts';

export interface ViewFailuresNeeds {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: DestinationMetrics;
}

/** Tells of views whose reading threw. That is always a bug, but one that must not take the other views with it. */
export class ViewFailures {
  readonly #told: RefusalLog;
  readonly #metrics: DestinationMetrics;

  constructor({ log, clock, metrics }: ViewFailuresNeeds) {
    const message = 'an answer cannot be made anew: the last one stays in use';
    this.#told = new RefusalLog(log, clock, message, 'error');
    this.#metrics = metrics;
  }

  tell(view: string, target: string, error: unknown): void {
    this.#metrics.viewFailures.inc({ view });
    const stack = Error.isError(error) ? error.stack : undefined;
    this.#told.tell({ code: view, target, error, stack });
  }
}

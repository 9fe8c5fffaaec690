import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Counter, Metrics } from './metrics.ts';
import type { Pausable } from './pausable-listener.ts';
import { RefusalLog } from './refusal-log.ts';

export interface ConnectionCapacityOptions {
  /** How many connections may be open at once; `connectionsPossible` says how many the system allows. */
  readonly limit: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/**
 * The connections that a process has file descriptors for. While all are taken its listeners pause, so that clients wait
 * instead of being cut, and what serves the connections already there goes on.
 */
export class ConnectionCapacity {
  readonly limit: number;
  readonly #listeners: Pausable[] = [];
  readonly #pauses: Counter;
  readonly #told: RefusalLog;
  #taken = 0;
  #paused = false;

  constructor({ limit, log, metrics, clock }: ConnectionCapacityOptions) {
    this.limit = limit;
    this.#told = new RefusalLog(log, clock, 'accepting paused');
    this.#pauses = metrics.counter(
      'kedge_accept_pauses_total',
      'Times that accepting paused, because there were no file descriptors left for more connections.',
    );
    metrics.gauge('kedge_accept_paused', '1 while accepting pauses.', [], (gauge) =>
      gauge.set(this.#paused ? 1 : 0),
    );
    metrics
      .gauge(
        'kedge_connection_capacity',
        'Connections that may be open at once before accepting pauses, by the limit of file descriptors.',
      )
      .set(limit);
  }

  /** Pauses with the others. A listener that is closed may stay: it has nothing to pause. */
  add(listener: Pausable): void {
    this.#listeners.push(listener);
    if (this.#paused) listener.pause();
  }

  /** A connection was accepted. Returns the way to say, once, that it has ended. */
  take(): () => void {
    this.#taken += 1;
    if (this.#taken >= this.limit && !this.#paused) this.#pause();
    return () => {
      this.#taken -= 1;
      // Some room first, so that a process at its limit does not pause for each connection anew.
      if (this.#paused && this.#taken <= this.limit - Math.ceil(this.limit / 16)) this.#resume();
    };
  }

  #pause(): void {
    this.#paused = true;
    this.#pauses.inc();
    const error = `expected less than ${this.limit} open connections, got as many; others wait until some have ended`;
    this.#told.tell({ code: 'no_descriptors', error });
    for (const listener of this.#listeners) listener.pause();
  }

  #resume(): void {
    this.#paused = false;
    for (const listener of this.#listeners) listener.resume();
  }
}

import type { Latest } from '../runtime/latest.ts';
import type { Gauge } from '../runtime/metrics.ts';
import type { Readiness } from '../runtime/readiness.ts';
import type { Source } from './last-good.ts';
import type { IdentityMetrics } from './identity-metrics.ts';

/** What this process waits for before it is ready, and what works less well than it should: in /ready and as a metric. */
export class Health {
  readonly #readiness: Readiness;
  readonly #degraded: Gauge<'part'>;

  constructor(readiness: Readiness, metrics: Pick<IdentityMetrics, 'degraded'>) {
    this.#readiness = readiness;
    this.#degraded = metrics.degraded;
  }

  /** Says why a part works less well than it should, or with undefined that it is well again. */
  degraded(part: string, reason: string | undefined): void {
    this.#readiness.degraded(part, reason);
    this.#degraded.set({ part }, reason === undefined ? 0 : 1);
  }

  /** A gate that opens when the value is there for the first time; it never closes, since what was loaded stays in use. */
  waitFor<T>(part: string, value: Latest<T>, isThere: (value: T) => boolean): void {
    const gate = this.#readiness.gate(part);
    const look = (): void => {
      if (!isThere(value.value)) return;
      gate.open();
      unsubscribe();
    };
    const unsubscribe = value.subscribe(look);
    look();
  }

  /** A gate for the first value of a source, and a degradation while there is a problem with a newer one. */
  follow<T>(part: string, { current, problem }: Source<T>): void {
    this.waitFor(part, current, (value) => value !== undefined);
    problem.subscribe((reason) => this.degraded(part, reason));
    this.degraded(part, problem.value);
  }
}

import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** How many refusals for one reason are told in full within a period; whoever wants to fill a disk has to be patient. */
const toldInFull = 10;
const periodMs = 10_000;

/** What is told of one refusal; `code` is its reason. */
export interface Refusal extends Readonly<Record<string, unknown>> {
  readonly code: string | undefined;
}

/** Refusals for one reason. */
interface Period {
  readonly beganAtMs: number;
  told: number;
  more: number;
}

/**
 * Tells of refused connections or calls. Anybody can bring about as many as they like, so only the first ones for a reason are
 * told each by itself, and the rest of a period by their number. Metrics count them all.
 */
export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #message: string;
  readonly #level: 'warn' | 'error';
  /** By reason; reasons are error codes, of which there are only so many. */
  readonly #periods = new Map<string, Period>();

  /** `message` is the constant that records have. */
  constructor(log: Log, clock: Clock, message: string, level: 'warn' | 'error' = 'warn') {
    this.#log = log;
    this.#clock = clock;
    this.#message = message;
    this.#level = level;
  }

  tell(fields: Refusal): void {
    const reason = fields.code ?? '';
    const period = this.#period(reason);
    if (period.told < toldInFull) {
      period.told += 1;
      this.#log[this.#level](fields, this.#message);
      return;
    }
    period.more += 1;
    if (period.more > 1) return;
    this.#clock.after(periodMs - this.#elapsedMs(period), () => {
      this.#periods.delete(reason);
      const rest = { code: fields.code, more: period.more, withinMs: periodMs };
      this.#log[this.#level](rest, `${this.#message} again`);
    });
  }

  #period(reason: string): Period {
    const known = this.#periods.get(reason);
    if (known !== undefined && (known.more > 0 || this.#elapsedMs(known) < periodMs)) return known;
    const begun = { beganAtMs: this.#clock.now().getTime(), told: 0, more: 0 };
    this.#periods.set(reason, begun);
    return begun;
  }

  /** A clock that was set back begins the period anew. */
  #elapsedMs({ beganAtMs }: Period): number {
    const elapsedMs = this.#clock.now().getTime() - beganAtMs;
    return elapsedMs < 0 ? periodMs : elapsedMs;
  }
}

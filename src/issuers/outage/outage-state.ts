import type { Clock } from '../../runtime/clock.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { IssuerState } from '../issuer.ts';
import type { BreakerState } from './circuit-breaker.ts';

/** The state of an issuer, and in it since when its CA does not answer; the log is told when that begins and ends. */
export class OutageState {
  readonly #state: LatestValue<IssuerState>;
  readonly #clock: Clock;
  readonly #log: Log;
  #since: Date | undefined;
  #outage: string | undefined;

  constructor(inner: Latest<IssuerState>, breaker: Latest<BreakerState>, clock: Clock, log: Log) {
    this.#state = new LatestValue(inner.value);
    this.#clock = clock;
    this.#log = log;
    inner.subscribe((state) => this.#set(state));
    breaker.subscribe((state) => {
      this.#look(state);
      this.#set(inner.value);
    });
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  /** The reason is that of the beginning: probes may fail in other words, which is no news. */
  #look(breaker: BreakerState): void {
    if (breaker.state === 'closed') {
      if (this.#since === undefined) return;
      const seconds = Math.round((this.#clock.now().getTime() - this.#since.getTime()) / 1000);
      this.#log.info({ since: this.#since, seconds }, 'the CA answers again');
      this.#since = undefined;
      this.#outage = undefined;
    } else if (this.#since === undefined) {
      const { since, reason } = breaker;
      this.#since = since;
      this.#outage = `the CA does not answer since ${since.toISOString()}: ${reason}`;
      this.#log.error({ since, reason }, 'the CA does not answer; until it does, only probes reach it');
    }
  }

  #set(state: IssuerState): void {
    const outage = this.#outage;
    this.#state.set(state.state === 'ready' && outage !== undefined ? { ...state, outage } : state);
  }
}

import type { Clock } from '../../runtime/clock.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { IssuerOutage, IssuerState } from '../issuer.ts';
import type { BreakerState } from './circuit-breaker.ts';

/** The state of an issuer, and in it since when its CA does not answer; the log is told when that begins and ends. */
export class OutageState {
  readonly #state: LatestValue<IssuerState>;
  readonly #clock: Clock;
  readonly #log: Log;
  #outage: IssuerOutage | undefined;

  constructor(inner: Latest<IssuerState>, breaker: Latest<BreakerState>, clock: Clock, log: Log) {
    this.#state = new LatestValue(asking(inner.value));
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
    const before = this.#outage;
    if (breaker.state === 'closed') {
      if (before === undefined) return;
      const { since } = before;
      const seconds = Math.round((this.#clock.now().getTime() - since.getTime()) / 1000);
      this.#log.info({ since, seconds }, 'the CA answers again');
      this.#outage = undefined;
    } else if (before === undefined) {
      const { since, reason } = breaker;
      this.#outage = { since, reason };
      this.#log.error({ since, reason }, 'the CA does not answer; until it does, only probes reach it');
    }
  }

  #set(inner: IssuerState): void {
    const state = asking(inner);
    const outage = this.#outage;
    this.#state.set(state.state === 'ready' && outage !== undefined ? { ...state, outage } : state);
  }
}

function asking(state: IssuerState): IssuerState {
  return state.state === 'ready' ? { ...state, asksCa: true } : state;
}

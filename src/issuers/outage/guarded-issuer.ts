import type { Clock } from '../../runtime/clock.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../issuer.ts';
import { CallRate } from './call-rate.ts';
import { CircuitBreaker, type BreakerState } from './circuit-breaker.ts';
import { showBreaker, showNobodyWaits, type GuardMetrics, type ShedReason } from './guard-metrics.ts';
import { asksForLess, judgeCall } from './judge-call.ts';
import { OutageState } from './outage-state.ts';
import { Refusals } from './refusals.ts';
import { Slots } from './slots.ts';
import { Throughput } from './throughput.ts';
import { standingAtDoor, standingOf, type Standing } from './urgency.ts';
import { WaitingLine } from './waiting-line.ts';

export interface GuardOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: GuardMetrics;
  /** Calls to the CA at a time. */
  readonly concurrency: number;
  /** Calls to the CA that begin within any second; no limit where undefined. */
  readonly rate: number | undefined;
  /** Milliseconds from a request to its answer. */
  readonly timeoutMs: number;
  readonly random?: () => number;
}

interface Place extends Standing {
  /** When waiting ends, ms since 1970. */
  readonly waitUntilMs: number;
}

interface Waiter {
  readonly pressedFromMs: number;
  readonly go: () => void;
  readonly turnAway: (reason: ShedReason) => void;
}

/** More than this wait nowhere, however fast the CA is. */
const longestLine = 10_000;

/** Of the time to an answer, the other half is the CA's. */
const shareForWaiting = 0.5;

/** Of those who could just be served in time, if the CA is as fast as it was of late. */
const shareInLine = 0.8;

/** How long nobody asks a CA that refused because it is asked too much and did not say for how long. */
const usualPauseMs = 200;

/**
 * Stands before a CA that is asked over a network for each certificate. Only so many calls are under way at a time and
 * begin in a second, the most urgent first. Who cannot be served in time is told so at once and when to come back; while
 * the CA is away, everybody is, and only probes reach it.
 */
export class GuardedIssuer implements Issuer {
  readonly #inner: Issuer;
  readonly #options: GuardOptions;
  readonly #breaker: CircuitBreaker;
  readonly #rate: CallRate;
  readonly #throughput: Throughput;
  readonly #refusals: Refusals;
  readonly #state: OutageState;
  readonly #slots: Slots;
  readonly #line = new WaitingLine<Waiter>();
  #paced = false;

  constructor(inner: Issuer, options: GuardOptions) {
    const { clock, log, metrics, concurrency, rate, random = Math.random } = options;
    this.#inner = inner;
    this.#options = options;
    this.#breaker = new CircuitBreaker({ clock, random });
    this.#rate = new CallRate(rate, clock);
    this.#slots = new Slots(concurrency, clock);
    this.#throughput = new Throughput(concurrency, rate);
    const [breaker, throughput] = [this.#breaker, this.#throughput];
    this.#refusals = new Refusals({ clock, random, metrics, breaker, throughput });
    this.#state = new OutageState(inner.state, this.#breaker.state, clock, log);
    showNobodyWaits(metrics);
    showBreaker(metrics, this.#breaker.state.value);
    this.#breaker.state.subscribe((state) => {
      showBreaker(metrics, state);
      if (state.state === 'open') this.#empty('outage');
      if (state.state === 'closed') this.#begin();
    });
  }

  get state(): Latest<IssuerState> {
    return this.#state.state;
  }

  get breaker(): Latest<BreakerState> {
    return this.#breaker.state;
  }

  /** @throws AppError `issuer_outage` while nothing but probes reaches the CA and none is wanted now. */
  checkOpen(goodUntil?: Date): void {
    if (this.#breaker.admits) return;
    throw this.#refusal('outage', standingAtDoor(goodUntil, this.#options.clock.now()));
  }

  /** One that the CA refuses because it is asked too much gets a turn again, while there is time. */
  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, timeoutMs } = this.#options;
    const standing = standingOf(request, clock.now());
    const waitUntilMs = clock.now().getTime() + timeoutMs * shareForWaiting;
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.#turn(request, { ...standing, waitUntilMs }, signal);
      } catch (error) {
        if (!asksForLess(error)) throw error;
        if (clock.now().getTime() + this.#rate.waitMs >= waitUntilMs) throw this.#refusal('late', standing);
      }
    }
  }

  async #turn(request: IssueRequest, place: Place, signal: AbortSignal): Promise<IssuedCertificate> {
    if (this.#line.length === 0 && this.#hasRoom(place.pressedFromMs)) {
      this.#options.metrics.waited.observe({ urgency: place.urgency }, 0);
      return this.#call(request, signal);
    }
    if (this.#breaker.state.value.state !== 'closed') throw this.#refusal('outage', place);
    return this.#wait(request, place, signal);
  }

  /** Waits for its turn, and takes it at once when it comes. */
  #wait(request: IssueRequest, place: Place, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, metrics } = this.#options;
    const { urgency, pressedFromMs } = place;
    const sinceMs = clock.now().getTime();
    const { promise, resolve, reject } = Promise.withResolvers<IssuedCertificate>();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      metrics.waiting.dec({ urgency });
    };
    const turnAway = (reason: ShedReason): void => {
      end();
      reject(this.#refusal(reason, place));
    };
    const go = (): void => {
      end();
      metrics.waited.observe({ urgency }, Math.max(0, clock.now().getTime() - sinceMs) / 1000);
      resolve(this.#call(request, signal));
    };
    const giveUp = (): void => {
      leave();
      end();
      reject(signal.reason);
      this.#serve();
    };
    const timer = clock.after(place.waitUntilMs - sinceMs, () => {
      leave();
      turnAway('late');
      this.#serve();
    });
    signal.addEventListener('abort', giveUp, { once: true });
    metrics.waiting.inc({ urgency });
    const leave = this.#line.join({ pressedFromMs, go, turnAway }, place.neededMs);
    this.#serve();
    return promise;
  }

  /** Whoever's turn it is goes; whoever's will not come in time is told so now. */
  #serve(): void {
    for (let next = this.#line.head; next && this.#hasRoom(next.pressedFromMs); next = this.#line.head) {
      this.#line.first();
      next.go();
    }
    const inTime = Math.floor(
      this.#throughput.perMs * this.#options.timeoutMs * shareForWaiting * shareInLine,
    );
    const most = Math.min(longestLine, Math.max(1, inTime));
    while (this.#line.length > most) this.#line.last()?.turnAway('overload');
  }

  #hasRoom(pressedFromMs: number): boolean {
    if (!this.#slots.isFreeFor(pressedFromMs) || !this.#breaker.admits) return false;
    const waitMs = this.#rate.waitMs;
    if (waitMs === 0) return true;
    if (this.#paced) return false;
    this.#paced = true;
    this.#options.clock.after(waitMs, () => {
      this.#paced = false;
      this.#serve();
    });
    return false;
  }

  async #call(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, timeoutMs } = this.#options;
    const watched = this.#breaker.begin();
    const startedMs = clock.now().getTime();
    this.#rate.count();
    this.#slots.take();
    try {
      // Nobody's place is kept by an issuer that does not heed that it was given up.
      const issued = await untilAborted(this.#inner.issue(request, signal), signal);
      this.#throughput.took(clock.now().getTime() - startedMs);
      watched.succeeded();
      return issued;
    } catch (error) {
      const gaveUpMs = signal.aborted ? clock.now().getTime() - startedMs : 0;
      if (signal.aborted) this.#throughput.took(gaveUpMs);
      judgeCall(watched, error, gaveUpMs / timeoutMs);
      this.#heed(error);
      throw error;
    } finally {
      this.#slots.release();
      this.#serve();
    }
  }

  /** A CA that is asked too much is left alone for a while, so that those who wait are not refused one after the other. */
  #heed(error: unknown): void {
    if (!asksForLess(error)) return;
    const { metrics, random = Math.random } = this.#options;
    metrics.heldBack.inc();
    this.#rate.pause(error.retryAfterMs ?? usualPauseMs * (0.5 + 0.5 * random()));
  }

  /** After an outage: how long that kept calls says nothing of the CA that is back. */
  #begin(): void {
    this.#throughput.forget();
    this.#slots.settle(() => this.#serve());
  }

  #empty(reason: ShedReason): void {
    while (this.#line.length > 0) this.#line.first()?.turnAway(reason);
  }

  #refusal(reason: ShedReason, standing: Pick<Standing, 'urgency' | 'bearableMs'>): Error {
    return this.#refusals.refuse(reason, standing, this.#line.length);
  }
}

import { isDeepStrictEqual } from 'node:util';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { Counter, Metrics } from '../../runtime/metrics.ts';
import { issuerErrors } from '../errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerOutage, IssuerState } from '../issuer.ts';
import { CommonAnchor } from './common-anchor.ts';

/** An issuer by the name that operators know it by. */
export interface NamedIssuer {
  readonly name: string;
  readonly issuer: Issuer;
}

export interface FallbackOptions {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly certificates: Counter<'issuer'>;
  /** Milliseconds from a request to its answer. */
  readonly timeoutMs: number;
}

export function fallbackCertificates(metrics: Metrics): Counter<'issuer'> {
  return metrics.counter(
    'kedge_issuer_fallback_certificates_total',
    'Certificates that a fallback issuer signed because the CA was away, by issuer.',
    ['issuer'],
  );
}

/** Of the time to an answer: whoever is the probe of a CA that is away has a fallback for the rest. */
const shareOfFirst = 0.5;

/** Whoever has just been started is given so long to reach its CA. */
const startMs = 30_000;

/** How late it may be noticed that a fallback has ended, where the clock was set or the machine slept. */
const checkMs = 60_000;

/**
 * While the CA of the first issuer is away, also when it was never reached, the next one that can sign does, if its CA
 * chains to an anchor that the first one's does too: a fallback must not bring in a CA that the mesh does not have already.
 * Never quietly. The state is then that of the fallback, with its end.
 */
export class FallbackIssuer implements Issuer {
  readonly #first: Issuer;
  readonly #fallbacks: readonly NamedIssuer[];
  readonly #options: FallbackOptions;
  readonly #state: LatestValue<IssuerState>;
  readonly #anchor: CommonAnchor;
  /** Who signed last in this outage. */
  #signedBy: string | undefined;
  /** What was told in this outage of fallbacks that cannot be used. */
  readonly #unusable = new Set<string>();
  /** Set while the first issuer has not been ready: until it is given up for now, and then since when. */
  #starting: Timer | undefined;
  #unreached: Date | undefined;
  /** Set while a fallback is shown: nobody tells that it has ended. */
  #ending: Timer | undefined;

  constructor(first: Issuer, fallbacks: readonly NamedIssuer[], options: FallbackOptions) {
    this.#first = first;
    this.#fallbacks = fallbacks;
    this.#options = options;
    this.#anchor = new CommonAnchor(options.anchors, options.clock);
    this.#state = new LatestValue(first.state.value, isDeepStrictEqual);
    for (const { state } of [first, ...fallbacks.map(({ issuer }) => issuer)]) {
      state.subscribe(() => this.#look());
    }
    options.anchors.subscribe(() => {
      this.#unusable.clear();
      this.#show();
    });
    this.#look();
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  checkOpen(goodUntil?: Date): void {
    if (this.#outage !== undefined && this.#able().length > 0) return;
    this.#first.checkOpen?.(goodUntil);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    try {
      const issued = await this.#askFirst(request, signal);
      this.#anchor.remember(issued);
      return issued;
    } catch (error) {
      const away = this.#outage !== undefined && isAppError(error) && error.kind === 'unavailable';
      if (!away || signal.aborted) throw error;
      return this.#standInFor(error, request, signal);
    }
  }

  #askFirst(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    if (this.#outage === undefined || this.#able().length === 0) return this.#first.issue(request, signal);
    const { clock, timeoutMs } = this.#options;
    const ms = timeoutMs * shareOfFirst;
    const late = (): Error =>
      issuerErrors.error('issuer_timeout', `expected an answer within ${ms} ms, before a fallback is asked`);
    return withinDeadline({ clock, ms, signal, late }, (either) => this.#first.issue(request, either));
  }

  async #standInFor(away: unknown, request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    for (const { name, issuer } of this.#able()) {
      try {
        const issued = await issuer.issue(request, signal);
        this.#anchor.check(name, issued);
        this.#use(name);
        return issued;
      } catch (error) {
        signal.throwIfAborted();
        this.#tellUnusable(name, error);
      }
    }
    throw away;
  }

  /** Once in an outage for each reason, however many ask. */
  #tellUnusable(issuer: string, error: unknown): void {
    const fault = `${issuer} ${errorCode(error) ?? ''}`;
    if (this.#unusable.has(fault)) return;
    this.#unusable.add(fault);
    this.#options.log.error({ issuer, reason: errorMessage(error) }, 'a fallback issuer cannot be used');
    this.#show();
  }

  #able(): readonly NamedIssuer[] {
    if (!this.#anchor.isKnown) return [];
    const now = this.#options.clock.now();
    return this.#fallbacks.filter(({ issuer }) => {
      const state = issuer.state.value;
      return state.state === 'ready' && state.notAfter > now;
    });
  }

  /** Who signs from now on for all that is known: whoever did last, or the first that nothing speaks against. */
  #standIn(): NamedIssuer | undefined {
    const fit = this.#able().filter(({ name, issuer }) => {
      const state = issuer.state.value;
      return state.state === 'ready' && state.outage === undefined && !this.#unusable.has(misfit(name));
    });
    return fit.find(({ name }) => name === this.#signedBy) ?? fit[0];
  }

  #use(name: string): void {
    this.#options.certificates.inc({ issuer: name });
    const wasMisfit = this.#unusable.delete(misfit(name));
    if (this.#signedBy === name && !wasMisfit) return;
    this.#signedBy = name;
    this.#show();
    const state = this.#state.value;
    const until = state.state === 'ready' ? state.notAfter : undefined;
    this.#options.log.error(
      { issuer: name, until },
      'a fallback issuer signs, because the CA does not answer',
    );
  }

  /** Why a fallback is asked, if one is. */
  get #outage(): IssuerOutage | undefined {
    const state = this.#first.state.value;
    if (state.state === 'ready') return state.outage;
    return this.#unreached && { since: this.#unreached, reason: state.reason };
  }

  #look(): void {
    if (this.#first.state.value.state === 'ready') {
      this.#starting?.cancel();
      this.#starting = this.#unreached = undefined;
    } else if (this.#starting === undefined) {
      const { clock } = this.#options;
      const since = clock.now();
      this.#starting = clock.after(startMs, () => {
        this.#unreached = since;
        this.#show();
      });
    }
    if (this.#outage === undefined) {
      this.#signedBy = undefined;
      this.#unusable.clear();
    }
    this.#show();
  }

  #show(): void {
    this.#ending?.cancel();
    const state = this.#first.state.value;
    const outage = this.#outage;
    const standIn = outage && this.#standIn();
    // One that was never reached is not ready itself: a fallback whose CA is away, too, is at least asked.
    const other = standIn ?? (state.state === 'ready' ? undefined : this.#able()[0]);
    const signs = other?.issuer.state.value ?? state;
    if (outage === undefined || signs.state !== 'ready') {
      this.#state.set(state);
      return;
    }
    if (other !== undefined) this.#showAgainAt(signs.notAfter);
    this.#state.set({ ...signs, outage: standIn ? { ...outage, standIn: standIn.name } : outage });
  }

  #showAgainAt(end: Date): void {
    const { clock } = this.#options;
    const leftMs = end.getTime() - clock.now().getTime();
    this.#ending = clock.after(Math.min(leftMs, checkMs), () => this.#show());
  }
}

/** How it is kept that a fallback signed under another anchor. */
function misfit(issuer: string): string {
  return `${issuer} issuer_fallback_refused`;
}

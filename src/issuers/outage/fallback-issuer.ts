import { pathsToAnchors, type AnchorPath } from '../../pki/anchor-paths.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { ChainUsage } from '../../pki/verify-chain.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { Counter, Metrics } from '../../runtime/metrics.ts';
import { issuerErrors } from '../errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerOutage, IssuerState } from '../issuer.ts';

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

interface KnownCa {
  readonly ca: Certificate;
  readonly above: readonly Certificate[];
  /** What came first beside the leaf: while it stays the same, so does the CA. */
  readonly sent: Certificate | undefined;
}

/** Of the time to an answer: whoever is the probe of a CA that is away has a fallback for the rest. */
const shareOfFirst = 0.5;

/** Whoever has just been started is given so long to reach its CA. */
const startMs = 30_000;

/**
 * While the CA of the first issuer is away, also when it was never reached, the next one that can sign does, if its CA chains to an anchor that the first
 * one's does too: a fallback must not bring in a CA that the mesh does not have already. Never quietly.
 */
export class FallbackIssuer implements Issuer {
  readonly #first: Issuer;
  readonly #fallbacks: readonly NamedIssuer[];
  readonly #options: FallbackOptions;
  readonly #state: LatestValue<IssuerState>;
  /** The CA that the first issuer was last seen to sign with. Not its anchors, which may be others when they are asked for. */
  #known: KnownCa | undefined;
  #standIn: string | undefined;
  /** What was told in this outage of fallbacks that cannot be used. */
  readonly #unusable = new Set<string>();
  /** Set while the first issuer has not been ready: until it is given up for now, and then since when. */
  #starting: Timer | undefined;
  #unreached: Date | undefined;

  constructor(first: Issuer, fallbacks: readonly NamedIssuer[], options: FallbackOptions) {
    this.#first = first;
    this.#fallbacks = fallbacks;
    this.#options = options;
    this.#state = new LatestValue(first.state.value);
    for (const { state } of [first, ...fallbacks.map(({ issuer }) => issuer)]) {
      state.subscribe(() => this.#look());
    }
    options.anchors.subscribe(() => this.#show());
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
      this.#remember(issued);
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
        this.#checkAnchors(name, issued);
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
  }

  /** None where the first could sign under several anchors for all that is known: whether one fits is not. */
  #able(): readonly NamedIssuer[] {
    if (this.#expectedAnchors().size === 0) return [];
    return this.#fallbacks.filter(({ issuer }) => issuer.state.value.state === 'ready');
  }

  /** What leads to no anchor says nothing of the CA: whoever verifies it throws it away. */
  #remember({ leaf, intermediates }: IssuedCertificate): void {
    const [sent] = intermediates;
    if (sent !== undefined && this.#known?.sent?.equals(sent) === true) return;
    const path = this.#pathsOf(leaf, intermediates, 'both')[0]?.path ?? [];
    const ca = path[1];
    if (ca !== undefined) this.#known = { ca, above: [...intermediates, ...path.slice(2)], sent };
  }

  #checkAnchors(name: string, issued: IssuedCertificate): void {
    const expected = this.#expectedAnchors();
    const found = anchorsOf(this.#pathsOf(issued.leaf, issued.intermediates, 'both'));
    if ([...found].some((anchor) => expected.has(anchor))) return;
    const got = [...found].join(', ') || 'none';
    const message = `expected ${name} to chain to an anchor of the first issuer (${[...expected].join(', ')}), got ${got}`;
    throw issuerErrors.error('issuer_fallback_refused', message);
  }

  /** Where the first issuer has signed nothing yet, or its CA is of no use any more, its anchor is known only if there is but one. */
  #expectedAnchors(): ReadonlySet<string> {
    const known = this.#known && anchorsOf(this.#pathsOf(this.#known.ca, this.#known.above, 'ca'));
    if (known !== undefined && known.size > 0) return known;
    const published = this.#options.anchors.value?.anchors ?? [];
    return new Set(published.length === 1 ? published.map(({ fingerprint }) => fingerprint) : []);
  }

  #pathsOf(
    leaf: Certificate,
    intermediates: readonly Certificate[],
    usage: ChainUsage,
  ): readonly AnchorPath[] {
    const { anchors, clock } = this.#options;
    const bundle = anchors.value;
    if (bundle === undefined) return [];
    try {
      return pathsToAnchors({ leaf, intermediates, bundle, at: clock.now(), usage });
    } catch (error) {
      // There is none: whoever verifies the answer says why.
      if (isAppError(error)) return [];
      throw error;
    }
  }

  #use(name: string): void {
    this.#options.certificates.inc({ issuer: name });
    if (this.#standIn === name) return;
    this.#standIn = name;
    this.#options.log.error({ issuer: name }, 'a fallback issuer signs, because the CA does not answer');
    this.#show();
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
      this.#standIn = undefined;
      this.#unusable.clear();
    }
    this.#show();
  }

  #show(): void {
    const state = this.#first.state.value;
    const outage = this.#outage;
    const signs = state.state === 'ready' ? state : this.#able()[0]?.issuer.state.value;
    if (outage === undefined || signs?.state !== 'ready') {
      this.#state.set(state);
      return;
    }
    const standIn = this.#standIn;
    this.#state.set({ ...signs, outage: standIn === undefined ? outage : { ...outage, standIn } });
  }
}

function anchorsOf(paths: readonly AnchorPath[]): Set<string> {
  return new Set(paths.map(({ anchor }) => anchor.fingerprint));
}

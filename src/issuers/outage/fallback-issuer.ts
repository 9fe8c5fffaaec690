import { pathsToAnchors } from '../../pki/anchor-paths.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { Counter, Metrics } from '../../runtime/metrics.ts';
import { issuerErrors } from '../errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../issuer.ts';

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
}

export function fallbackCertificates(metrics: Metrics): Counter<'issuer'> {
  return metrics.counter(
    'kedge_issuer_fallback_certificates_total',
    'Certificates that a fallback issuer signed because the CA was away, by issuer.',
    ['issuer'],
  );
}

/**
 * While the CA of the first issuer is away, the next one that can sign does, if its CA chains to an anchor that the first
 * one's does too: a fallback must not bring in a CA that the mesh does not have already. Never quietly.
 */
export class FallbackIssuer implements Issuer {
  readonly #first: Issuer;
  readonly #fallbacks: readonly NamedIssuer[];
  readonly #options: FallbackOptions;
  readonly #state: LatestValue<IssuerState>;
  /** The anchors of what the first issuer gave last, and the CA that they were found for. */
  #known: { readonly ca: string | undefined; readonly anchors: ReadonlySet<string> } | undefined;
  #standIn: string | undefined;

  constructor(first: Issuer, fallbacks: readonly NamedIssuer[], options: FallbackOptions) {
    this.#first = first;
    this.#fallbacks = fallbacks;
    this.#options = options;
    this.#state = new LatestValue(first.state.value);
    first.state.subscribe((state) => {
      if (!isAway(state)) this.#standIn = undefined;
      this.#show();
    });
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  checkOpen(goodUntil?: Date): void {
    if (isAway(this.#first.state.value) && this.#able().length > 0) return;
    this.#first.checkOpen?.(goodUntil);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    try {
      const issued = await this.#first.issue(request, signal);
      this.#remember(issued);
      return issued;
    } catch (error) {
      const away = isAway(this.#first.state.value) && isAppError(error) && error.kind === 'unavailable';
      if (!away || signal.aborted) throw error;
      return this.#standInFor(error, request, signal);
    }
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
        this.#options.log.error(
          { issuer: name, reason: errorMessage(error) },
          'a fallback issuer cannot be used',
        );
      }
    }
    throw away;
  }

  #able(): readonly NamedIssuer[] {
    return this.#fallbacks.filter(({ issuer }) => issuer.state.value.state === 'ready');
  }

  #remember(issued: IssuedCertificate): void {
    const ca = issued.intermediates[0]?.fingerprint;
    if (this.#known !== undefined && ca !== undefined && this.#known.ca === ca) return;
    this.#known = { ca, anchors: this.#anchorsOf(issued) };
  }

  /** Where the first issuer has signed nothing yet, its anchor is known only if there is but one. */
  #checkAnchors(name: string, issued: IssuedCertificate): void {
    const published = this.#options.anchors.value?.anchors ?? [];
    const only = published.length === 1 ? published.map(({ fingerprint }) => fingerprint) : [];
    const expected = this.#known?.anchors ?? new Set(only);
    const found = this.#anchorsOf(issued);
    if ([...found].some((anchor) => expected.has(anchor))) return;
    const got = [...found].join(', ') || 'none';
    const message = `expected ${name} to chain to an anchor of the first issuer (${[...expected].join(', ') || 'not known yet'}), got ${got}`;
    throw issuerErrors.error('issuer_fallback_refused', message);
  }

  #anchorsOf({ leaf, intermediates }: IssuedCertificate): Set<string> {
    const bundle = this.#options.anchors.value;
    if (bundle === undefined) return new Set();
    const at = this.#options.clock.now();
    try {
      const paths = pathsToAnchors({ leaf, intermediates, bundle, at, usage: 'both' });
      return new Set(paths.map(({ anchor }) => anchor.fingerprint));
    } catch (error) {
      // To none: whoever verifies the answer says why.
      if (isAppError(error)) return new Set();
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

  #show(): void {
    const state = this.#first.state.value;
    const standIn = this.#standIn;
    const shown =
      state.state === 'ready' && state.outage !== undefined && standIn !== undefined
        ? { ...state, outage: { ...state.outage, standIn } }
        : state;
    this.#state.set(shown);
  }
}

function isAway(state: IssuerState): boolean {
  return state.state === 'ready' && state.outage !== undefined;
}

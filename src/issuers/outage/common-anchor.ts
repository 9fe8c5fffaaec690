import { pathsToAnchors, type AnchorPath } from '../../pki/anchor-paths.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { ChainUsage } from '../../pki/verify-chain.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isAppError } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { issuerErrors } from '../errors.ts';
import type { IssuedCertificate } from '../issuer.ts';

interface KnownCa {
  readonly ca: Certificate;
  readonly above: readonly Certificate[];
  /** What came first beside the leaf: while it stays the same, so does the CA. */
  readonly sent: Certificate | undefined;
}

/** Holds fallbacks to the anchors that the CA of the first issuer chains to. */
export class CommonAnchor {
  readonly #anchors: Latest<TrustBundle | undefined>;
  readonly #clock: Clock;
  /** The CA that the first issuer was last seen to sign with. Not its anchors, which may be others when they are asked for. */
  #known: KnownCa | undefined;

  constructor(anchors: Latest<TrustBundle | undefined>, clock: Clock) {
    this.#anchors = anchors;
    this.#clock = clock;
  }

  /** False where the first could sign under several anchors for all that is known: whether a fallback fits is not. */
  get isKnown(): boolean {
    return this.#expected().size > 0;
  }

  /**
   * Learns from what the first issuer signed. What leads to no anchor says nothing of the CA: whoever verifies it throws it
   * away.
   */
  remember({ leaf, intermediates }: IssuedCertificate): void {
    const [sent] = intermediates;
    if (sent !== undefined && this.#known?.sent?.equals(sent) === true) return;
    const path = this.#pathsOf(leaf, intermediates, 'both')[0]?.path ?? [];
    const ca = path[1];
    if (ca !== undefined) this.#known = { ca, above: [...intermediates, ...path.slice(2)], sent };
  }

  /** @throws AppError `issuer_fallback_refused` where what a fallback signed chains to none of them */
  check(name: string, issued: IssuedCertificate): void {
    const expected = this.#expected();
    const found = anchorsOf(this.#pathsOf(issued.leaf, issued.intermediates, 'both'));
    if ([...found].some((anchor) => expected.has(anchor))) return;
    const got = [...found].join(', ') || 'none';
    const message = `expected ${name} to chain to an anchor of the first issuer (${[...expected].join(', ')}), got ${got}`;
    throw issuerErrors.error('issuer_fallback_refused', message);
  }

  /** Where the first issuer has signed nothing yet, or its CA is of no use any more, its anchor is known only if there is but one. */
  #expected(): ReadonlySet<string> {
    const known = this.#known && anchorsOf(this.#pathsOf(this.#known.ca, this.#known.above, 'ca'));
    if (known !== undefined && known.size > 0) return known;
    const published = this.#anchors.value?.anchors ?? [];
    return new Set(published.length === 1 ? published.map(({ fingerprint }) => fingerprint) : []);
  }

  #pathsOf(
    leaf: Certificate,
    intermediates: readonly Certificate[],
    usage: ChainUsage,
  ): readonly AnchorPath[] {
    const bundle = this.#anchors.value;
    if (bundle === undefined) return [];
    try {
      return pathsToAnchors({ leaf, intermediates, bundle, at: this.#clock.now(), usage });
    } catch (error) {
      // There is none: whoever verifies the answer says why.
      if (isAppError(error)) return [];
      throw error;
    }
  }
}

function anchorsOf(paths: readonly AnchorPath[]): Set<string> {
  return new Set(paths.map(({ anchor }) => anchor.fingerprint));
}

import type { KubeClient } from '../../kube/kube-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import { Turns } from '../../runtime/turns.ts';
import { identityErrors } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';
import { FairQueue } from './fair-queue.ts';
import { serviceAccountOf } from './service-account-user.ts';
import type { Presumed, TokenPrecheck } from './token-precheck.ts';
import { boundTo, reviewToken, type TokenReviewStatus } from './token-review.ts';
import type { TokenReviewMetrics } from './token-review-metrics.ts';
import type { TokenVerifier, VerifiedToken } from './token-verifier.ts';

export interface TokenReviewVerifierOptions {
  readonly client: KubeClient;
  readonly precheck: TokenPrecheck;
  readonly audience: string;
  readonly clock: Clock;
  readonly metrics: TokenReviewMetrics;
}

/** Waiting for a turn is part of it. */
const deadlineMs = 5_000;
const retryAfterMs = 5_000;
/** Reviews under way and waiting; a review takes the API server a few milliseconds. */
const reviews = { atOnce: 32, waiting: 1_000, waitingPerKey: 250 };
/** Answers come in bursts, and each sets off the work of a certificate: meanwhile the API server is to have reviews to do. */
const certificatesAtATime = 3;
/** Tokens that honest workloads hardly ever have, while anybody can make them. */
const doubtful = { perSecond: 5, burst: 10 };

/**
 * Lets the API server decide on each token: it alone knows that a pod or a ServiceAccount is gone. No answer is kept,
 * since a certificate lives far longer than any of them should. Tokens take turns by the ServiceAccount they name.
 */
export class TokenReviewVerifier implements TokenVerifier {
  readonly #options: TokenReviewVerifierOptions;
  readonly #queue = new FairQueue(reviews);
  readonly #doubtful: RateLimit;
  readonly #turns = new Turns(certificatesAtATime);

  constructor(options: TokenReviewVerifierOptions) {
    this.#options = options;
    this.#doubtful = new RateLimit(doubtful, options.clock, 1);
  }

  async verify(text: string, signal: AbortSignal): Promise<VerifiedToken> {
    const presumed = await this.#presume(text, signal);
    const status = await this.#timed(() => this.#review(presumed, signal));
    return this.#believe(presumed, status);
  }

  async #presume(text: string, signal: AbortSignal): Promise<Presumed> {
    const { precheck, metrics } = this.#options;
    let presumed: Presumed;
    try {
      presumed = await precheck.judge(text, signal);
    } catch (error) {
      metrics.standings.inc({ standing: 'refused' });
      throw error;
    }
    const { standing } = presumed;
    metrics.standings.inc({ standing });
    const waitMs = standing === 'doubtful' ? this.#doubtful.take('') : 0;
    if (waitMs === 0) return presumed;
    const message = `expected fewer tokens under a key, an algorithm or an issuer that the cluster does not publish, try again in ${waitMs} ms`;
    throw identityErrors.error('rate_limited', message, { retryAfterMs: waitMs });
  }

  async #timed(review: () => Promise<TokenReviewStatus>): Promise<TokenReviewStatus> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.now().getTime();
    const done = (result: string): void => {
      metrics.reviews.inc({ result });
      metrics.seconds.observe({ result }, Math.max(0, clock.now().getTime() - startedMs) / 1000);
    };
    try {
      const status = await review();
      done(status.authenticated === true ? 'authenticated' : 'refused');
      return status;
    } catch (error) {
      done(isAppError(error) ? 'unavailable' : 'cancelled');
      throw error;
    }
  }

  async #review({ token, claims, standing }: Presumed, signal: AbortSignal): Promise<TokenReviewStatus> {
    const { client, audience, clock } = this.#options;
    const late = (): Error => unavailable(`an answer within ${deadlineMs} ms`, 'none');
    const full = (): Error => unavailable('fewer tokens to review', 'more than can wait');
    // What only claims to be of a ServiceAccount waits with its like.
    const key = standing === 'doubtful' ? '' : claims.subject;
    try {
      return await withinDeadline({ clock, ms: deadlineMs, signal, late }, (either) =>
        this.#queue.run(key, either, full, async () => {
          const status = await reviewToken(client, token.text, audience, either);
          // Within the queue, so that the line here stays short and keys go on taking turns.
          await this.#turns.next();
          return status;
        }),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (isAppError(error) && error.code === 'token_review_unavailable') throw error;
      const reason = errorMessage(error);
      const got = quotes(reason, token.text) ? 'a failure that quotes the token' : reason;
      throw unavailable('the word of the API server', got, error);
    }
  }

  /** The API server has spoken: what the token claims is true, if it says so. */
  #believe({ token, claims }: Presumed, status: TokenReviewStatus): VerifiedToken {
    const { audience } = this.#options;
    if (status.error !== undefined && status.error !== '') {
      throw refused('a token that the API server accepts', shownReason(status.error, token.text));
    }
    if (status.authenticated !== true) throw refused('a token that the API server accepts', 'another one');
    if (status.audiences?.includes(audience) !== true) {
      // Who does not know of audiences leaves them out, and has not looked at the token's.
      throw refused(`a token that the API server accepts for ${quoted(audience)}`, 'one for others');
    }
    const username = status.user?.username ?? '';
    const name = serviceAccountOf(username);
    if (name === undefined || username !== claims.subject) {
      throw refused('the token of a ServiceAccount', `one of ${quoted(username)}`);
    }
    const issuer = String(token.claims['iss']);
    return { ...name, ...claims, issuer, audience, ...boundTo(status) };
  }
}

/** The API server's words, unless whoever it asked put the token into them. */
function shownReason(error: string, token: string): string {
  return quotes(error, token) ? 'a refusal that quotes it' : quoted(error);
}

/** Whether a text holds a part of the token, be it only the beginning. */
function quotes(text: string, token: string): boolean {
  return token.split('.').some((part) => text.includes(part.slice(0, 16)));
}

function refused(expected: string, got: string): Error {
  return identityErrors.error('token_refused', `expected ${expected}, got ${got}`);
}

function unavailable(expected: string, got: string, cause?: unknown): Error {
  const hint = isAppError(cause) ? cause.retryAfterMs : undefined;
  const message = `token review: expected ${expected}, got ${got}`;
  return identityErrors.error('token_review_unavailable', message, {
    cause,
    retryAfterMs: hint ?? retryAfterMs,
  });
}

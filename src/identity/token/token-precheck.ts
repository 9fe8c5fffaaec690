import type { Clock } from '../../runtime/clock.ts';
import type { Latest } from '../../runtime/latest.ts';
import { checkClaims, type CheckedClaims } from './claims.ts';
import { parseCompactToken, type CompactToken } from './compact-token.ts';
import { signatureAlgorithms } from './signature-schemes.ts';
import type { TokenKeys } from './token-keys.ts';
import { checkSignature } from './token-signature.ts';

/** Which tokens can be told apart before the API server is asked. */
export interface TokenPrecheckOptions {
  /** What the cluster publishes; nothing is refused for want of it. */
  readonly keys: TokenKeys;
  /** The one issuer that tokens may have, where the settings name it. */
  readonly issuer: string | undefined;
  /** The issuer that the API server says it signs with; it may accept more. */
  readonly publishedIssuer: Latest<string | undefined>;
  readonly audience: string;
  readonly skewMs: number;
  readonly clock: Clock;
}

/**
 * What is known of a token before it has been reviewed. `signed`: by a published key of the cluster, so its claims
 * are true, but it may have been withdrawn. `doubtful`: an honest token as a rule does not look like this, yet it may be good.
 * `unknown`: there is nothing to judge it by.
 */
export type Standing = 'signed' | 'doubtful' | 'unknown';

export interface Presumed {
  readonly token: CompactToken;
  readonly claims: CheckedClaims;
  readonly standing: Standing;
}

/**
 * Refuses what is surely garbage, so that a flood of it does not reach the API server. Decides nothing else: a token
 * under an unknown key or algorithm may be one that only the API server can verify.
 */
export class TokenPrecheck {
  readonly #options: TokenPrecheckOptions;

  constructor(options: TokenPrecheckOptions) {
    this.#options = options;
  }

  /** Rejects with `token_malformed` or `token_refused`. */
  async judge(text: string, signal: AbortSignal): Promise<Presumed> {
    const { issuer, audience, skewMs, clock } = this.#options;
    const token = parseCompactToken(text, 'any');
    const claims = checkClaims(token.claims, { issuer, audience, skewMs, now: clock.now() });
    return { token, claims, standing: await this.#standing(token, signal) };
  }

  async #standing(token: CompactToken, signal: AbortSignal): Promise<Standing> {
    const { keys, issuer, publishedIssuer } = this.#options;
    const published = publishedIssuer.value;
    const foreign = issuer === undefined && published !== undefined && token.claims['iss'] !== published;
    const known = keys.current.value;
    if (known === undefined) return foreign ? 'doubtful' : 'unknown';
    if (token.keyId === undefined || !known.has(token.keyId)) {
      // For the next token: a new key is published before the API server signs with it, but perhaps not read yet.
      void keys.refresh(signal).catch(() => undefined);
      return 'doubtful';
    }
    if (foreign || !signatureAlgorithms.includes(token.algorithm)) return 'doubtful';
    await checkSignature(token, known);
    return 'signed';
  }
}

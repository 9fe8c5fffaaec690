import type { Clock } from '../../runtime/clock.ts';
import type { Latest } from '../../runtime/latest.ts';
import { quoted } from '../../runtime/quoted.ts';
import { identityErrors } from '../errors.ts';
import { boundObjects } from './bound-objects.ts';
import { checkClaims, type CheckedClaims } from './claims.ts';
import { parseCompactToken, type CompactToken } from './compact-token.ts';
import type { KeySet } from './key-set.ts';
import type { ServiceAccountName, SubjectMap } from './subject-map.ts';
import type { TokenKeys } from './token-keys.ts';
import { checkSignature } from './token-signature.ts';
import type { TokenVerifier, VerifiedToken } from './token-verifier.ts';

export interface JwksVerifierOptions {
  readonly keys: TokenKeys;
  readonly subjects: Latest<SubjectMap | undefined>;
  readonly issuer: string;
  readonly audience: string;
  readonly skewMs: number;
  readonly clock: Clock;
}

/**
 * Verifies tokens with the published keys of one issuer, without asking anyone about the single token. Such a
 * token speaks for the ServiceAccount that the table of subjects lists, and for no other.
 */
export class JwksVerifier implements TokenVerifier {
  readonly #options: JwksVerifierOptions;

  constructor(options: JwksVerifierOptions) {
    this.#options = options;
  }

  async verify(text: string, signal: AbortSignal): Promise<VerifiedToken> {
    const { issuer, audience, skewMs, clock } = this.#options;
    const token = parseCompactToken(text);
    const expected = { issuer, audience, skewMs, now: clock.now() };
    const claims = checkClaims(token.claims, expected);
    await checkSignature(token, await this.#keysFor(token, signal));
    return {
      ...this.#serviceAccountOf(claims),
      ...claims,
      ...boundObjects(token.claims),
      issuer,
      audience,
    };
  }

  async #keysFor(token: CompactToken, signal: AbortSignal): Promise<KeySet> {
    const { current } = this.#options.keys;
    if (current.value?.has(token.keyId) !== true) await this.#options.keys.refresh(signal);
    const keys = current.value;
    if (keys === undefined) {
      throw identityErrors.error(
        'token_keys_unavailable',
        'expected keys to verify tokens with, got none yet',
        {
          retryAfterMs: 5000,
        },
      );
    }
    if (!keys.has(token.keyId)) {
      throw refused('a token signed with a published key of its issuer', 'an unknown key id');
    }
    return keys;
  }

  #serviceAccountOf(claims: CheckedClaims): ServiceAccountName {
    const subjects = this.#options.subjects.value;
    if (subjects === undefined) {
      const message = 'expected a table of token subjects, got none yet';
      throw identityErrors.error('subjects_unavailable', message, { retryAfterMs: 5000 });
    }
    const name = subjects.get(claims.subject);
    if (name !== undefined) return name;
    const message = `expected a subject that is listed, got ${quoted(claims.subject)}`;
    throw identityErrors.error('subject_not_listed', message);
  }
}

function refused(expected: string, got: string): Error {
  return identityErrors.error('token_refused', `expected ${expected}, got ${got}`);
}

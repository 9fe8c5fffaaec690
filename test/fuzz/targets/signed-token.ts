import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JwksVerifier } from '../../../src/identity/token/jwks-verifier.ts';
import { KeySet } from '../../../src/identity/token/key-set.ts';
import { parseSubjectMap } from '../../../src/identity/token/subject-map.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { changedText } from '../mutate/change-bytes.ts';
import { checkRefusal } from '../read-or-refuse.ts';
import {
  goodClaims,
  goodHeader,
  goodRsaToken,
  goodToken,
  jwks,
  tokenNow,
  tokenOf,
} from '../samples/tokens.ts';
import { accepted, fuzzTarget } from '../target.ts';

const verifier = new JwksVerifier({
  keys: {
    current: new LatestValue<KeySet | undefined>(KeySet.parse(JSON.stringify(jwks))),
    problem: new LatestValue<string | undefined>(undefined),
    refresh: () => Promise.resolve(),
  },
  subjects: new LatestValue(
    parseSubjectMap(JSON.stringify({ [goodClaims.sub]: 'shop/web' }), () => undefined),
  ),
  issuer: goodClaims.iss,
  audience: goodClaims.aud[0]!,
  skewMs: 0,
  clock: new ManualClock(tokenNow),
});

const goodInputs = new Set([goodToken, goodRsaToken].map(signedPart));
const headers = [
  goodHeader,
  { ...goodHeader, kid: 'rsa' },
  { alg: 'RS256', kid: 'ed' },
  { alg: 'EdDSA' },
  { alg: 'ES256', kid: 'ed' },
];

/** Whatever is done to a token, it speaks for a workload only with what its issuer signed. */
export const signedTokenTarget = fuzzTarget<string>({
  name: 'signed-token',
  file: 'identity/token/jwks-verifier.ts',
  inputs: fc.oneof(
    { weight: 6, arbitrary: changedText(goodToken, goodRsaToken) },
    { weight: 1, arbitrary: fc.constantFrom(goodToken, goodRsaToken) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...headers), fc.constantFrom(goodToken, goodRsaToken))
        .map(([header, { length }]) =>
          tokenOf(JSON.stringify(header), JSON.stringify(goodClaims)).slice(0, length),
        ),
    },
  ),
  check: async (text) => {
    try {
      const token = await verifier.verify(text, new AbortController().signal);
      assert.deepEqual([token.namespace, token.serviceAccount], ['shop', 'web']);
      const honest = goodInputs.has(signedPart(text));
      assert.ok(
        honest ||
          headers.some((header) => tokenOf(JSON.stringify(header), JSON.stringify(goodClaims)) === text),
      );
      return accepted;
    } catch (error) {
      return checkRefusal(error, { codes: ['token_malformed', 'token_refused', 'subject_not_listed'] });
    }
  },
});

function signedPart(text: string): string {
  return text.split('.').slice(0, 2).join('.');
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { checkClaims } from '../../../src/identity/token/claims.ts';
import { maxTokenLength, parseCompactToken } from '../../../src/identity/token/compact-token.ts';
import { changedText } from '../mutate/change-bytes.ts';
import { INHERITED_NAMES, jsonLike, textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { MARKER, goodClaims, goodHeader, goodToken, tokenNow } from '../samples/tokens.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

const expected = {
  issuer: 'https://tokens.example',
  audience: 'identity.l5d.io',
  now: tokenNow,
  skewMs: 60_000,
};

const encoded = (text: string): string => Buffer.from(text).toString('base64url');
const marked = `${MARKER}${MARKER}`;

/** An object near an honest one: some of its members left out, and others in their place. */
function near(honest: object, names: readonly string[], values: readonly unknown[]): fc.Arbitrary<string> {
  const kept = fc.subarray(Object.entries(honest), {
    minLength: Math.max(0, Object.keys(honest).length - 2),
  });
  const others = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 2 });
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(JSON.stringify(honest)) },
    {
      weight: 6,
      arbitrary: fc.tuple(kept, others).map((entries) => JSON.stringify(Object.fromEntries(entries.flat()))),
    },
    { weight: 1, arbitrary: jsonLike(names, values) },
    {
      weight: 1,
      arbitrary: textsLike([JSON.stringify(honest)], ['{', '}', '"', ':', 'alg', MARKER, '\\u0061']),
    },
  );
}

const headers = near(
  goodHeader,
  ['alg', 'kid', 'crit', 'jwk', 'typ'],
  ['none', 'HS256', 'ES256', marked, 7, null, ['b64'], ...INHERITED_NAMES],
);
const claims = near(goodClaims, Object.keys(goodClaims), [
  marked,
  expected.audience,
  [expected.audience, marked],
  [],
  0,
  -1,
  2 ** 60,
  expected.now.getTime() / 1000 + 61,
  {},
  null,
]);

/** A token that is read says what jose reads; one that is refused is named by no value of its own. */
export const tokenTarget = fuzzTarget<string>({
  name: 'token',
  file: 'identity/token/compact-token.ts',
  inputs: fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(headers, claims, fc.constantFrom('c2ln', '', 'c2ln.c2ln'))
        .map(([header, claim, signature]) => `${encoded(header)}.${encoded(claim)}.${signature}`),
    },
    { weight: 2, arbitrary: changedText(goodToken) },
    { weight: 1, arbitrary: textsLike([goodToken], ['e30', '.', 'eyJ', '=', ' ']) },
  ),
  check,
  explore: {
    files: ['compact-token', 'claims', 'unique-json'].map((name) => `identity/token/${name}.ts`),
    // Header and claims on a line each, since a change to their base64 ends in one place only.
    seeds: [`${JSON.stringify(goodHeader)}\n${JSON.stringify(goodClaims)}\nc2ln`, '{"alg":"none"}\n{}\n'].map(
      (seed) => Buffer.from(seed),
    ),
    shape: 'bytes',
    check: (bytes) => {
      const [header = '', claim = '', ...signature] = bytes.toString('latin1').split('\n');
      return check([encoded(header), encoded(claim), ...signature].join('.'));
    },
  },
});

const secrets = [MARKER, ...(goodToken.match(/[\w-]{24}/g) ?? [])];

function check(text: string): Outcome {
  let verdict = accepted;
  const outcome = readOrRefuse(
    { codes: ['token_malformed', 'token_refused'], secrets },
    () => parseCompactToken(text),
    (token) => {
      assert.ok(text.length <= maxTokenLength);
      const header = decodeProtectedHeader(text);
      assert.deepEqual([token.algorithm, token.keyId], [header.alg, header.kid]);
      assert.deepEqual(token.claims, decodeJwt(text));
      verdict = readOrRefuse(
        { codes: ['token_refused'], secrets },
        () => checkClaims(token.claims, expected),
        ({ subject, expiresAt }) => {
          assert.equal(subject, token.claims['sub']);
          assert.equal([token.claims['aud']].flat().length, 1);
          assert.ok(expiresAt.getTime() > expected.now.getTime() - expected.skewMs);
        },
      );
    },
  );
  return outcome === accepted ? verdict : outcome;
}

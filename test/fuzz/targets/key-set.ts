import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KeySet } from '../../../src/identity/token/key-set.ts';
import { jsonLike, textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { MARKER, jwks } from '../samples/tokens.ts';
import { fuzzTarget } from '../target.ts';

const secret = `${MARKER}${'A'.repeat(30)}`;
const names = ['kty', 'kid', 'alg', 'use', 'n', 'e', 'x', 'y', 'crv', 'd', 'k'];
const members = fc
  .tuple(
    fc.constantFrom(...jwks.keys),
    fc.array(
      fc.tuple(
        fc.constantFrom(...names),
        fc.constantFrom<unknown>('RSA', 'EC', 'oct', 'AQAB', secret, 7, null),
      ),
      {
        maxLength: 2,
      },
    ),
  )
  .map(([key, changes]) => ({ ...key, ...Object.fromEntries(changes) }));

/** A set that is read has public keys of a good size only; a refusal holds nothing of what was given. */
export const keySetTarget = fuzzTarget<string>({
  name: 'key-set',
  file: 'identity/token/key-set.ts',
  inputs: fc.oneof(
    { weight: 6, arbitrary: fc.array(members, { maxLength: 4 }).map((keys) => JSON.stringify({ keys })) },
    { weight: 2, arbitrary: jsonLike(['keys', ...names], ['RSA', 'EC', [jwks.keys[0]], secret, null]) },
    {
      weight: 2,
      arbitrary: textsLike([JSON.stringify(jwks)], ['{', '}', '[', '"keys"', ':', ',', '"d"', secret]),
    },
  ),
  check: (text) =>
    readOrRefuse(
      { codes: ['jwks_malformed'], secrets: [MARKER] },
      () => KeySet.parse(text),
      (set) => {
        const { keys } = JSON.parse(text) as { keys: Record<string, unknown>[] };
        const known = keys.filter(({ kty }) => ['RSA', 'EC', 'OKP'].includes(String(kty)));
        assert.equal(set.size, known.length);
        assert.ok(keys.every((key) => !('d' in key) && !('k' in key) && key['kty'] !== 'oct'));
        const moduli = known
          .filter(({ kty }) => kty === 'RSA')
          .map(({ n }) => Buffer.from(String(n), 'base64url'));
        assert.ok(moduli.every((modulus) => BigInt(`0x${modulus.toString('hex')}`) >> 2047n > 0n));
      },
    ),
});

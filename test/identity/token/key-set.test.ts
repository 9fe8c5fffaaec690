import { generateKeyPairSync } from 'node:crypto';
import { KeySet } from '../../../src/identity/token/key-set.ts';
import { refusal } from '../../support/refusal.ts';
import { jwksOf, TokenIssuer } from '../../support/token-issuer.ts';

const issuer = new TokenIssuer();
const set = (...keys: unknown[]): string => JSON.stringify({ keys });

describe('KeySet', () => {
  it('knows its keys by their ids', () => {
    const keys = KeySet.parse(jwksOf(issuer, new TokenIssuer({ keyId: 'key-2' })));
    expect([keys.size, keys.has('key-1'), keys.has('key-2'), keys.has('key-3')]).toEqual([
      2,
      true,
      true,
      false,
    ]);
  });

  it('takes a token without a key id to mean whatever key there is', () => {
    expect(KeySet.parse(issuer.jwks).has(undefined)).toBe(true);
  });

  it('leaves out keys of types that are not known here', () => {
    expect(KeySet.parse(set(issuer.jwk, { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA', kid: 'pq' })).size).toBe(
      1,
    );
  });

  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  it.each([
    ['text that is no JSON', 'keys', 'JSON with each name once'],
    ['a key set with keys twice', '{"keys":[],"keys":[]}', 'JSON with each name once'],
    ['a list', '[]', 'an object with a list "keys"'],
    ['null', 'null', 'an object with a list "keys"'],
    ['no keys', set(), 'at least one RSA, EC or OKP key, got none'],
    ['keys of unknown types only', set({ kty: 'AKP' }), 'at least one RSA, EC or OKP key, got none'],
    ['a key that is a text', set('key'), 'each key to be an object, got keys[0]'],
    ['more keys than anyone has', set(...Array<unknown>(101).fill(issuer.jwk)), 'at most 100 keys, got 101'],
    ['a shared secret', set(issuer.jwk, { kty: 'oct', k: 'c2VjcmV0' }), 'a private or shared key in keys[1]'],
    ['a private key', set({ ...issuer.jwk, d: 'c2VjcmV0' }), 'a private or shared key in keys[0]'],
    ['a short RSA key', set(short), 'RSA keys of at least 2048 bits, got a shorter one in keys[0]'],
    ['an RSA key without a modulus', set({ kty: 'RSA', e: 'AQAB' }), 'RSA keys of at least 2048 bits'],
  ])('refuses %s', (_, text, message) => {
    const refused = refusal(() => KeySet.parse(text));
    expect(refused).toContain('jwks_malformed: expected a key set with ');
    expect(refused).toContain(message);
    expect(refused).not.toContain('c2VjcmV0');
  });

  it('says nothing of a text that may hold a private key', () => {
    expect(refusal(() => KeySet.parse('{"keys":[{"d":"c2VjcmV0"}'))).not.toContain('c2VjcmV0');
  });
});

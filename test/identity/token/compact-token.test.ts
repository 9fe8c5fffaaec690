import { parseCompactToken } from '../../../src/identity/token/compact-token.ts';
import { refusal } from '../../support/refusal.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';

const issuer = new TokenIssuer();
const encoded = (text: string): string => Buffer.from(text).toString('base64url');
const header = encoded('{"alg":"ES256"}');
const claims = encoded('{"sub":"vm-1"}');

describe('parseCompactToken', () => {
  it('takes a token apart without believing any of it', () => {
    const token = parseCompactToken(
      issuer.sign('vm-1', { header: { jku: 'https://evil.example', jwk: {} } }),
    );
    expect(token).toMatchObject({ algorithm: 'ES256', keyId: 'key-1', claims: { sub: 'vm-1' } });
  });

  it.each([
    ['nothing', '', 'three base64url parts joined by dots, got 0 characters of another form'],
    ['a password', 'hunter2', 'three base64url parts joined by dots, got 7 characters of another form'],
    ['two parts', `${header}.${claims}`, 'three base64url parts'],
    ['four parts', `${header}.${claims}.aa.aa`, 'three base64url parts'],
    ['characters outside of base64url', `${header}.${claims}.a+a/`, 'three base64url parts'],
    ['white space inside', `${header}.${claims}.a a`, 'three base64url parts'],
    ['a megabyte', 'a'.repeat(1_000_000), 'at most 16384 characters, got 1000000'],
    ['a header that is no JSON', `aaaa.${claims}.aa`, 'a header part that is JSON with each name once'],
    ['a header that is a list', `${encoded('[]')}.${claims}.aa`, 'a header part that is a JSON object'],
    ['claims that are null', `${header}.${encoded('null')}.aa`, 'a claims part that is a JSON object'],
    ['claims with a name twice', `${header}.${encoded('{"aud":"a","aud":"b"}')}.aa`, 'with each name once'],
    [
      'a header with a name twice',
      `${encoded('{"alg":"none","alg":"ES256"}')}.${claims}.aa`,
      'each name once',
    ],
    [
      'claims that are not UTF-8',
      `${header}.${Buffer.of(0x22, 0xff, 0x22).toString('base64url')}.aa`,
      'JSON',
    ],
    ['a header without an algorithm', `${encoded('{}')}.${claims}.aa`, 'a header that names its algorithm'],
    [
      'a key id that is a number',
      `${encoded('{"alg":"ES256","kid":1}')}.${claims}.aa`,
      'a key id that is a text',
    ],
  ])('refuses %s as malformed', (_, text, message) => {
    const refused = refusal(() => parseCompactToken(text));
    expect(refused).toContain('token_malformed: ');
    expect(refused).toContain(message);
  });

  it.each([
    ['an unsigned token', issuer.unsigned('vm-1'), 'got an unsigned one (none)'],
    ['a public key taken for a shared secret', issuer.confused('vm-1'), 'got a shared secret (HS256)'],
    ['an encrypted token', issuer.sign('a', { header: { alg: 'RSA-OAEP' } }), 'got another algorithm'],
    ['an algorithm in other letters', issuer.sign('a', { header: { alg: 'NonE' } }), 'got another algorithm'],
    [
      'an algorithm that every object knows',
      issuer.sign('a', { header: { alg: 'constructor' } }),
      'got another algorithm',
    ],
    ['a missing signature', `${header}.${claims}.`, 'expected a signed token, got no signature'],
    ['critical extensions', issuer.sign('a', { header: { crit: ['b64'], b64: false } }), 'got "crit"'],
    ['an empty list of them', issuer.sign('a', { header: { crit: [] } }), 'got "crit"'],
  ])('refuses %s before any cryptography', (_, text, message) => {
    const refused = refusal(() => parseCompactToken(text));
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain(message);
  });
});

import { checkClaims } from '../../../src/identity/token/claims.ts';
import { refusal } from '../../support/refusal.ts';

const now = new Date('2026-06-01T12:00:00Z');
const seconds = now.getTime() / 1000;
const expected = { issuer: 'https://tokens.example', audience: 'identity.l5d.io', now, skewMs: 20_000 };
const good = { iss: expected.issuer, aud: [expected.audience], sub: 'vm-1', exp: seconds + 60 };

describe('checkClaims', () => {
  it.each([
    ['the audience in a list', {}],
    ['the audience as a text', { aud: expected.audience }],
    ['an end within the skew', { exp: seconds - 19 }],
    ['a beginning within the skew', { nbf: seconds + 20, iat: seconds + 20 }],
    ['fractions of seconds', { exp: seconds + 0.5, nbf: seconds - 0.5 }],
    ['an end in the year 9999', { exp: 253_402_300_799 }],
  ])('takes %s', (_, changed) => {
    expect(checkClaims({ ...good, ...changed }, expected).subject).toBe('vm-1');
  });

  it('gives subject and end', () => {
    expect(checkClaims(good, expected)).toEqual({
      subject: 'vm-1',
      expiresAt: new Date('2026-06-01T12:01:00Z'),
    });
  });

  it.each([
    ['another issuer', { iss: 'https://other.example' }, 'issuer "https://tokens.example", got another one'],
    ['the issuer with a slash behind', { iss: `${expected.issuer}/` }, 'got another one'],
    ['no issuer', { iss: undefined }, 'got none'],
    ['an issuer in a list', { iss: [expected.issuer] }, 'got none'],
    ['another audience', { aud: ['vault'] }, 'exactly one audience, "identity.l5d.io", got another one'],
    ['ours and a further one', { aud: [expected.audience, 'vault'] }, 'got it and 1 more'],
    ['ours twice', { aud: [expected.audience, expected.audience] }, 'got it and 1 more'],
    ['two others', { aud: ['vault', 'x'] }, 'got 2 others'],
    ['no audience', { aud: undefined }, 'got none'],
    ['an empty list of audiences', { aud: [] }, 'got none'],
    ['an audience in a nested list', { aud: [[expected.audience]] }, 'got another one'],
    ['no subject', { sub: undefined }, 'a subject of 1 to 1024 characters, got none'],
    ['an empty subject', { sub: '' }, 'a subject of 1 to 1024 characters, got none'],
    ['a subject without end', { sub: 'a'.repeat(1025) }, 'a subject of 1 to 1024 characters'],
    ['an end that has passed', { exp: seconds - 20 }, 'still valid, got one that expired 20 s ago'],
    ['no end', { exp: undefined }, 'expected an expiry, got none'],
    ['an end as a text', { exp: '9999999999' }, 'exp to be seconds since 1970'],
    ['an infinite end', { exp: Infinity }, 'exp to be seconds since 1970'],
    ['a negative end', { exp: -1 }, 'exp to be seconds since 1970'],
    ['an end that is not a number', { exp: null }, 'exp to be seconds since 1970'],
    ['a beginning ahead', { nbf: seconds + 21 }, 'valid already, got one that will be in 21 s'],
    ['a making ahead', { iat: seconds + 300 }, 'one issued 300 s from now; compare the clocks'],
    ['a beginning as a text', { nbf: 'now' }, 'nbf to be seconds since 1970'],
  ])('refuses %s', (_, changed, message) => {
    const refused = refusal(() => checkClaims({ ...good, ...changed }, expected));
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain(message);
  });

  it('quotes nothing from the token', () => {
    const changes = [
      { iss: 'https://evil' },
      { aud: ['evil'] },
      { sub: 'evil'.repeat(300) },
      { exp: 'evil' },
    ];
    for (const changed of changes) {
      expect(refusal(() => checkClaims({ ...good, ...changed }, expected))).not.toContain('evil');
    }
  });
});

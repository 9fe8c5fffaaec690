import { JwksVerifier } from '../../../src/identity/token/jwks-verifier.ts';
import { KeySet } from '../../../src/identity/token/key-set.ts';
import type { SubjectMap } from '../../../src/identity/token/subject-map.ts';
import type { TokenKeys } from '../../../src/identity/token/token-keys.ts';
import { identityErrors } from '../../../src/identity/errors.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { jwksOf, TokenIssuer, type TestAlgorithm } from '../../support/token-issuer.ts';

const hour = 3_600_000;
const signal = new AbortController().signal;

/** A verifier over keys that a test can replace; `refresh` gives what the source will have by then. */
class Bench implements TokenKeys {
  readonly clock = new ManualClock();
  readonly issuer: TokenIssuer;
  readonly current: LatestValue<KeySet | undefined>;
  readonly problem = new LatestValue<string | undefined>(undefined);
  readonly subjects = new LatestValue<SubjectMap | undefined>(
    new Map([['vm-1', { namespace: 'shop', serviceAccount: 'web' }]]),
  );
  readonly verifier: JwksVerifier;
  refreshed = 0;
  onRefresh: () => void = () => undefined;

  constructor(algorithm: TestAlgorithm = 'ES256') {
    this.issuer = new TokenIssuer({ algorithm, now: () => this.clock.now() });
    this.current = new LatestValue<KeySet | undefined>(KeySet.parse(this.issuer.jwks));
    const { issuer, audience } = this.issuer;
    const { clock, subjects } = this;
    this.verifier = new JwksVerifier({ keys: this, subjects, issuer, audience, skewMs: 20_000, clock });
  }

  async refresh(): Promise<void> {
    this.refreshed += 1;
    this.onRefresh();
    return Promise.resolve();
  }

  refused(token: string): Promise<string> {
    return refusalOf(this.verifier.verify(token, signal));
  }
}

describe('JwksVerifier', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const)(
    'accepts a token signed %s',
    async (algorithm) => {
      const { verifier, issuer, clock } = new Bench(algorithm);
      expect(await verifier.verify(issuer.sign('vm-1'), signal)).toEqual({
        namespace: 'shop',
        serviceAccount: 'web',
        subject: 'vm-1',
        issuer: issuer.issuer,
        audience: 'identity.l5d.io',
        expiresAt: new Date(clock.now().getTime() + hour),
      });
    },
  );

  it('tells the pod and the node that a token is bound to', async () => {
    const { verifier, issuer } = new Bench();
    const bound = { pod: { name: 'web-0', uid: 'u-1' }, node: { name: 'n-1' }, namespace: 'shop' };
    expect(
      await verifier.verify(issuer.sign('vm-1', { claims: { 'kubernetes.io': bound } }), signal),
    ).toMatchObject({
      podName: 'web-0',
      podUid: 'u-1',
      nodeName: 'n-1',
    });
  });

  it('leaves out a binding that is not one', async () => {
    const { verifier, issuer } = new Bench();
    const bound = { pod: { name: ['web-0'], uid: 'u'.repeat(254) }, node: 'n-1' };
    const token = await verifier.verify(issuer.sign('vm-1', { claims: { 'kubernetes.io': bound } }), signal);
    expect(Object.keys(token)).not.toEqual(expect.arrayContaining(['podName']));
    expect([token.podName, token.podUid, token.nodeName]).toEqual([undefined, undefined, undefined]);
  });

  it('accepts a token without a key id where there is one key', async () => {
    const { verifier, issuer } = new Bench();
    const token = issuer.sign('vm-1', { header: { kid: undefined } });
    expect((await verifier.verify(token, signal)).subject).toBe('vm-1');
  });

  it('refuses a token without a key id where there are several', async () => {
    const bench = new Bench();
    bench.current.set(KeySet.parse(jwksOf(bench.issuer, new TokenIssuer({ keyId: 'key-2' }))));
    const refused = await bench.refused(bench.issuer.sign('vm-1', { header: { kid: undefined } }));
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain('got no key id, while there are several keys');
  });

  it.each<[string, (issuer: TokenIssuer) => string, string]>([
    ['for another audience', (i) => i.sign('vm-1', { claims: { aud: ['vault'] } }), 'exactly one audience'],
    [
      'for us and another',
      (i) => i.sign('vm-1', { claims: { aud: [i.audience, 'vault'] } }),
      'got it and 1 more',
    ],
    ['of another issuer', (i) => i.sign('vm-1', { claims: { iss: 'https://x' } }), 'expected issuer'],
    ['that has expired', (i) => i.sign('vm-1', { claims: { exp: 1 } }), 'still valid, got one that expired'],
    ['of the future', (i) => i.sign('vm-1', { claims: { nbf: 9e9 } }), 'valid already'],
    ['that is not signed', (i) => i.unsigned('vm-1'), 'an unsigned one (none)'],
    ['signed with another key', (i) => i.forged('vm-1'), 'got one that does not verify'],
    ['signed with the public key as a secret', (i) => i.confused('vm-1'), 'a shared secret (HS256)'],
    [
      'whose algorithm is not its key’s',
      (i) => i.sign('vm-1', { header: { alg: 'RS256' } }),
      'that no key has together',
    ],
    ['with critical extensions', (i) => i.sign('vm-1', { header: { crit: ['exp'] } }), 'got "crit"'],
  ])('refuses a token %s', async (_, make, message) => {
    const bench = new Bench();
    const refused = await bench.refused(make(bench.issuer));
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain(message);
  });

  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const)(
    'refuses a signature by %s of any other length',
    async (algorithm) => {
      const bench = new Bench(algorithm);
      const token = bench.issuer.sign('vm-1');
      const start = token.lastIndexOf('.') + 1;
      for (const signature of ['A', 'AAAA', token.slice(start, -4), `${token.slice(start)}AAAA`]) {
        const refused = await bench.refused(token.slice(0, start) + signature);
        expect(refused).toContain('got one that does not verify');
      }
    },
  );

  it('refuses a public RSA key taken for an HMAC secret', async () => {
    const bench = new Bench('RS256');
    expect(await bench.refused(bench.issuer.confused('vm-1'))).toContain('got a shared secret (HS256)');
  });

  it('does not use a key that the token brings along', async () => {
    const bench = new Bench();
    const forger = new TokenIssuer({ keyId: 'key-1', now: () => bench.clock.now() });
    const refused = await bench.refused(forger.sign('vm-1', { header: { jwk: forger.jwk } }));
    expect(refused).toContain('got one that does not verify');
  });

  it('refuses a signature over other claims', async () => {
    const bench = new Bench();
    const [head, , signature] = bench.issuer.sign('vm-2').split('.');
    const [, claims] = bench.issuer.sign('vm-1').split('.');
    expect(await bench.refused(`${head ?? ''}.${claims ?? ''}.${signature ?? ''}`)).toContain(
      'does not verify',
    );
  });

  it('refuses a genuine token whose subject is not listed', async () => {
    const bench = new Bench();
    const refused = await bench.refused(bench.issuer.sign('system:serviceaccount:shop:web'));
    expect(refused).toBe(
      'subject_not_listed: expected a subject that is listed, got "system:serviceaccount:shop:web"',
    );
  });

  it('looks for newer keys when a token names an unknown one', async () => {
    const bench = new Bench();
    const next = new TokenIssuer({ keyId: 'key-2', now: () => bench.clock.now() });
    bench.onRefresh = () => bench.current.set(KeySet.parse(jwksOf(bench.issuer, next)));
    expect((await bench.verifier.verify(next.sign('vm-1'), signal)).subject).toBe('vm-1');
    await bench.verifier.verify(next.sign('vm-1'), signal);
    expect(bench.refreshed).toBe(1);
  });

  it('refuses a token with an unknown key when there are no newer ones', async () => {
    const bench = new Bench();
    const refused = await bench.refused(bench.issuer.sign('vm-1', { header: { kid: 'unknown' } }));
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain('got an unknown key id');
  });

  it('does not look for keys for a token that is no good whatever its key', async () => {
    const bench = new Bench();
    await bench.refused(bench.issuer.sign('vm-1', { header: { kid: 'unknown' }, claims: { aud: 'vault' } }));
    expect(bench.refreshed).toBe(0);
  });

  it('says that it cannot tell, not that the token is bad, while the source of keys is away', async () => {
    const bench = new Bench();
    bench.onRefresh = () => {
      throw identityErrors.error('token_keys_unavailable', 'away', { retryAfterMs: 1 });
    };
    const unknown = bench.issuer.sign('vm-1', { header: { kid: 'unknown' } });
    expect(await bench.refused(unknown)).toBe('token_keys_unavailable: away');
    expect((await bench.verifier.verify(bench.issuer.sign('vm-1'), signal)).subject).toBe('vm-1');
  });

  it('says so while there are no keys or no subjects yet', async () => {
    const bench = new Bench();
    bench.subjects.set(undefined);
    const token = bench.issuer.sign('vm-1');
    await expect(bench.verifier.verify(token, signal)).rejects.toMatchObject({
      code: 'subjects_unavailable',
      kind: 'unavailable',
      retryAfterMs: 5000,
    });
    bench.current.set(undefined);
    await expect(bench.verifier.verify(token, signal)).rejects.toMatchObject({
      code: 'token_keys_unavailable',
      kind: 'unavailable',
      retryAfterMs: 5000,
    });
  });

  it('puts no part of a token into a message', async () => {
    const bench = new Bench();
    const tokens = [
      bench.issuer.unsigned('vm-1'),
      bench.issuer.forged('vm-1'),
      bench.issuer.sign('vm-1', { claims: { aud: ['vault-audience'], iss: 'https://evil.example' } }),
      bench.issuer.sign('vm-1', { header: { kid: 'evil-kid' } }),
      'not-a-token-but-maybe-a-password',
    ];
    const refusals = await Promise.all(tokens.map((token) => bench.refused(token)));
    for (const [at, refused] of refusals.entries()) {
      for (const part of (tokens[at] ?? '').split('.').filter((text) => text !== '')) {
        expect(refused).not.toContain(part);
      }
      expect(refused).not.toMatch(/evil|vault-audience|password/);
    }
  });
});

import { KeySet } from '../../../src/identity/token/key-set.ts';
import { TokenPrecheck } from '../../../src/identity/token/token-precheck.ts';
import type { TokenReviewStatus } from '../../../src/identity/token/token-review.ts';
import { tokenReviewMetrics } from '../../../src/identity/token/token-review-metrics.ts';
import { TokenReviewVerifier } from '../../../src/identity/token/token-review-verifier.ts';
import type { VerifiedToken } from '../../../src/identity/token/token-verifier.ts';
import { kubeErrors } from '../../../src/kube/errors.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { noteScripted } from '../../secrets/run-record.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';

const hour = 3_600_000;
const web = 'system:serviceaccount:shop:web';

/** A cluster that accepts every token of `web`, unless a test says otherwise, and publishes one key. */
class Bench {
  readonly clock = new ManualClock();
  readonly tokens = new TokenIssuer({ now: () => this.clock.now() });
  readonly kube = new MemoryKube();
  readonly keys = new LatestValue<KeySet | undefined>(KeySet.parse(this.tokens.jwks));
  readonly published = new LatestValue<string | undefined>(this.tokens.issuer);
  readonly metrics = new Metrics();
  readonly verifier: TokenReviewVerifier;
  status: TokenReviewStatus = {
    authenticated: true,
    audiences: ['identity.l5d.io'],
    user: { username: web },
  };
  refreshed = 0;

  constructor(issuer?: string) {
    const { clock, keys } = this;
    this.kube.answer = () => ({ metadata: { name: '' }, status: this.status });
    this.verifier = new TokenReviewVerifier({
      client: this.kube,
      precheck: new TokenPrecheck({
        keys: {
          current: keys,
          problem: new LatestValue<string | undefined>(undefined),
          refresh: () => {
            this.refreshed += 1;
            return Promise.reject(new Error('no newer keys'));
          },
        },
        issuer,
        publishedIssuer: this.published,
        audience: this.tokens.audience,
        skewMs: 20_000,
        clock,
      }),
      audience: this.tokens.audience,
      clock,
      metrics: tokenReviewMetrics(this.metrics),
    });
  }

  verify(token = this.tokens.sign(web), signal = new AbortController().signal): Promise<VerifiedToken> {
    return this.verifier.verify(token, signal);
  }

  refused(token?: string): Promise<string> {
    return refusalOf(this.verify(token));
  }
}

describe('TokenReviewVerifier', () => {
  it('asks for our audience and tells what the API server says of the pod', async () => {
    const bench = new Bench();
    bench.status = {
      ...bench.status,
      user: {
        username: web,
        extra: {
          'authentication.kubernetes.io/pod-name': ['web-0'],
          'authentication.kubernetes.io/pod-uid': ['u-1'],
          'authentication.kubernetes.io/node-name': ['n-1'],
          'authentication.kubernetes.io/credential-id': ['JTI=j-1'],
        },
      },
    };
    const token = bench.tokens.sign(web);
    expect(await bench.verify(token)).toEqual({
      namespace: 'shop',
      serviceAccount: 'web',
      subject: web,
      issuer: bench.tokens.issuer,
      audience: 'identity.l5d.io',
      expiresAt: new Date(bench.clock.now().getTime() + hour),
      podName: 'web-0',
      podUid: 'u-1',
      nodeName: 'n-1',
      credentialId: 'JTI=j-1',
    });
    expect(bench.kube.calls).toEqual([
      {
        verb: 'create',
        resource: 'tokenreviews',
        place: {},
        object: { spec: { token, audiences: ['identity.l5d.io'] } },
      },
    ]);
  });

  it('asks anew each time: what was good may have been withdrawn', async () => {
    const bench = new Bench();
    const token = bench.tokens.sign(web);
    await bench.verify(token);
    bench.status = { error: '[invalid bearer token, service account token has been invalidated]' };
    expect(await bench.refused(token)).toBe(
      'token_refused: expected a token that the API server accepts, got "[invalid bearer token, service account token has been invalidated]"',
    );
    expect(await bench.metrics.text()).toContain('kedge_identity_token_reviews_total{result="refused"} 1');
  });

  it.each<[string, TokenReviewStatus, string]>([
    ['is not authenticated', { authenticated: false }, 'expected a token that the API server accepts'],
    ['has no word', {}, 'expected a token that the API server accepts'],
    ['was looked at by who knows no audiences', { audiences: [] }, 'accepts for "identity.l5d.io"'],
    ['is for others', { audiences: ['vault'] }, 'got one for others'],
    ['is a user', { user: { username: 'alice' } }, 'got one of "alice"'],
    ['is a node', { user: { username: 'system:node:n-1' } }, 'expected the token of a ServiceAccount'],
    [
      'is another than it claims',
      { user: { username: 'system:serviceaccount:shop:api' } },
      'got one of "system:serviceaccount:shop:api"',
    ],
    ['has an error although it is authenticated', { authenticated: true, error: 'odd' }, 'got "odd"'],
  ])('refuses a token that %s', async (_, status, message) => {
    const bench = new Bench();
    const authenticated = 'authenticated' in status || Object.keys(status).length === 0 ? {} : bench.status;
    bench.status = { ...authenticated, ...status };
    const refused = await bench.refused();
    expect(refused).toContain('token_refused: ');
    expect(refused).toContain(message);
  });

  it('passes on no part of the token that the API server puts into its words', async () => {
    const bench = new Bench();
    const token = bench.tokens.sign(web);
    bench.status = { error: `bad token ${token}` };
    expect(await bench.refused(token)).toContain('got a refusal that quotes it');
    bench.status = { error: `bad token ${token.slice(0, 60)}...` };
    expect(await bench.refused(token)).toContain('got a refusal that quotes it');
  });

  it('passes on no part of the token that comes back with a failure of the review', async () => {
    const bench = new Bench();
    const token = bench.tokens.sign(web);
    bench.kube.before = () => {
      const denied = `a webhook denied ${JSON.stringify({ spec: { token } })}`;
      throw kubeErrors.error('kube_forbidden', noteScripted(denied));
    };
    const refused = await bench.refused(token);
    expect(refused).toContain('token_review_unavailable: token review: expected the word of the API server');
    for (const part of token.split('.')) expect(refused).not.toContain(part);
  });

  it.each<[string, (tokens: TokenIssuer) => string]>([
    ['is no token', () => 'hunter2'],
    ['is not signed', (i) => i.unsigned(web)],
    ['is signed with another key under a known key id', (i) => i.forged(web)],
    ['takes the public key for a secret', (i) => i.confused(web)],
    ['is for another audience', (i) => i.sign(web, { claims: { aud: ['vault'] } })],
    ['is for us and another', (i) => i.sign(web, { claims: { aud: [i.audience, 'vault'] } })],
    ['has expired', (i) => i.sign(web, { claims: { exp: 1 } })],
    ['is longer than any', (i) => `${i.sign(web)}${'A'.repeat(20_000)}`],
  ])('does not trouble the API server with what %s', async (_, make) => {
    const bench = new Bench();
    expect(await bench.refused(make(bench.tokens))).toMatch(/^token_(refused|malformed): /);
    expect(bench.kube.calls).toEqual([]);
    expect(await bench.metrics.text()).toContain(
      'kedge_identity_token_prechecks_total{standing="refused"} 1',
    );
  });

  it('refuses another issuer than the one of the settings, and lets the API server judge one that is not published', async () => {
    const told = new Bench('https://tokens.example');
    const other = told.tokens.sign(web, { claims: { iss: 'https://old.example' } });
    expect(await told.refused(other)).toContain('expected issuer "https://tokens.example"');
    const open = new Bench();
    expect(
      (await open.verify(open.tokens.sign(web, { claims: { iss: 'https://old.example' } }))).issuer,
    ).toBe('https://old.example');
    expect(await open.metrics.text()).toContain('{standing="doubtful"} 1');
  });

  it.each<[string, (bench: Bench) => string]>([
    ['an unknown key', ({ clock }) => new TokenIssuer({ keyId: 'new', now: () => clock.now() }).sign(web)],
    ['no key id', ({ tokens }) => tokens.sign(web, { header: { kid: undefined } })],
    ['an algorithm of later days', ({ tokens }) => tokens.sign(web, { header: { alg: 'ML-DSA-65' } })],
  ])('lets the API server judge a few tokens with %s', async (_, make) => {
    const bench = new Bench();
    for (let count = 0; count < 10; count++) await bench.verify(make(bench));
    expect(await bench.refused(make(bench))).toContain('rate_limited: expected fewer tokens under a key');
    expect(bench.kube.calls).toHaveLength(10);
    await bench.verify();
    await bench.clock.advance(200);
    await bench.verify(make(bench));
  });

  it('looks for newer keys when it meets an unknown one', async () => {
    const bench = new Bench();
    await bench.verify(new TokenIssuer({ keyId: 'new', now: () => bench.clock.now() }).sign(web));
    expect(bench.refreshed).toBe(1);
  });

  it('refuses nothing for want of keys', async () => {
    const bench = new Bench();
    bench.keys.set(undefined);
    bench.published.set(undefined);
    for (let count = 0; count < 50; count++) await bench.verify(bench.tokens.forged(web));
    expect(bench.kube.calls).toHaveLength(50);
    expect(await bench.metrics.text()).toContain('{standing="unknown"} 50');
  });

  it.each([
    ['is away', 'kube_unreachable', undefined, 5_000],
    ['has too much to do', 'kube_throttled', 3_000, 3_000],
    ['forbids it', 'kube_forbidden', undefined, 5_000],
  ] as const)('says when to come back when the API server %s', async (_, code, retryAfterMs, hint) => {
    const bench = new Bench();
    bench.kube.before = () => {
      throw kubeErrors.error(code, 'no', retryAfterMs === undefined ? {} : { retryAfterMs });
    };
    await expect(bench.verify()).rejects.toMatchObject({
      code: 'token_review_unavailable',
      kind: 'unavailable',
      message: 'token review: expected the word of the API server, got no',
      retryAfterMs: hint,
    });
    bench.kube.before = () => undefined;
    await bench.verify();
  });

  it('waits no longer than its deadline, and for nobody who has gone', async () => {
    const bench = new Bench();
    bench.kube.before = () => new Promise(() => undefined);
    const late = refusalOf(bench.verify());
    const gone = new AbortController();
    const left = bench.verify(undefined, gone.signal);
    await bench.clock.advance(1_000);
    gone.abort(new Error('hung up'));
    await expect(left).rejects.toThrow('hung up');
    await bench.clock.advance(4_000);
    expect(await late).toContain('token_review_unavailable: token review: expected an answer within 5000 ms');
    expect(await bench.metrics.text()).toContain('reviews_total{result="cancelled"} 1');
  });

  it('has 32 reviews under way at most, and lets a ServiceAccount wait for no other', async () => {
    const bench = new Bench();
    const open: (() => void)[] = [];
    bench.kube.before = () => new Promise((resolve) => open.push(resolve));
    const flood = Array.from({ length: 282 }, () => bench.verify());
    const [refused] = await Promise.all([
      refusalOf(Promise.race([bench.clock.advance(0).then(() => bench.verify())])),
    ]);
    expect(refused).toContain('expected fewer tokens to review');
    expect(open).toHaveLength(32);
    const api = 'system:serviceaccount:shop:api';
    const other = refusalOf(bench.verify(bench.tokens.sign(api)));
    await bench.clock.advance(0);
    for (const answer of open.splice(0)) answer();
    await bench.clock.advance(0);
    expect(bench.kube.calls.slice(32, 64).map(({ object }) => subjectOf(object))).toContain(api);
    bench.kube.before = () => undefined;
    for (const answer of open.splice(0)) answer();
    await Promise.all([...flood, other]);
  });

  it('lets a ServiceAccount wait for no other either when answers come faster than certificates are made', async () => {
    const bench = new Bench();
    const ended: string[] = [];
    const flood = Array.from({ length: 200 }, () => bench.verify().then(() => ended.push('loud')));
    await bench.clock.advance(0);
    const api = 'system:serviceaccount:shop:api';
    await refusalOf(bench.verify(bench.tokens.sign(api)));
    expect(ended.length).toBeLessThan(100);
    await Promise.all(flood);
  });
});

function subjectOf(review: unknown): unknown {
  const { token } = (review as { spec: { token: string } }).spec;
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sub: string;
  };
  return claims.sub;
}

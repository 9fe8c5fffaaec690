import { Csr } from '../../../src/pki/csr.ts';
import { encodePem } from '../../../src/pki/pem.ts';
import { pathOf } from '../../../src/kube/resource.ts';
import { certificateRequests } from '../../../src/kube/resources.ts';
import { testKeyPair } from '../../support/certificate-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, status } from '../../support/fake-kube-api.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { keyPair, later, now, request } from '../support/issue-request.ts';
import { base64, collectionPath, conditions, issuedBy, StandIn } from './support/stand-in.ts';
import type { Asked } from './support/stand-in.ts';

const root = TestCa.create();
const ca = root.intermediate();
const begin = (settings: Readonly<Record<string, string>> = {}): Promise<StandIn> =>
  StandIn.begin(root.bundle, settings);

/** With both names, as Kedge's own proxy asks; the key is that of `request`. */
const asked = {
  ...request,
  csr: Csr.parse(
    buildCsr({
      keyPair,
      dnsNames: [request.dnsName],
      ...(request.uri !== undefined && { uris: [request.uri] }),
    }),
  ),
};

const pending = (reason: string, message: string): object =>
  conditions({ type: 'Ready', status: 'False', reason, message });

describe('CertManagerIssuer', () => {
  it('asks as the settings say, gives the chain without the root, and removes the request', async () => {
    await using bench = await begin({
      KEDGE_CERT_MANAGER_ISSUER_NAME: 'upstream',
      KEDGE_CERT_MANAGER_ISSUER_KIND: 'AWSPCAClusterIssuer',
      KEDGE_CERT_MANAGER_ISSUER_GROUP: 'awspca.cert-manager.io',
    });
    const answered = bench.issue(asked);
    const made = await bench.only();
    expect(made.spec).toEqual({
      request: expect.any(String) as string,
      // Less by the time that it may take, and by what the clock of cert-manager may be ahead.
      duration: '59m21s',
      isCA: false,
      usages: ['digital signature', 'server auth', 'client auth'],
      issuerRef: { name: 'upstream', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' },
    });
    expect(made.metadata).toMatchObject({
      name: expect.stringMatching(/^kedge-[0-9a-f]{40}$/) as string,
      labels: { 'app.kubernetes.io/managed-by': 'kedge-identity', 'kedge.io/replica': 'identity-0' },
    });
    bench.decide(made, issuedBy(ca, made));
    const { leaf, intermediates } = await answered;
    expect(leaf.sans).toMatchObject({ dns: [request.dnsName], uri: [request.uri] });
    expect(intermediates).toEqual([ca.certificate]);
    await bench.gone();
  });

  it('expects a certificate of the DNS name alone where the signing request has no more', async () => {
    await using bench = await begin();
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made));
    const { leaf } = await bench.issue(request);
    expect(leaf.sans).toMatchObject({ dns: [request.dnsName], uri: [] });
  });

  it('waits while a request is pending, for whatever reason', async () => {
    await using bench = await begin();
    const answered = bench.issue(asked);
    const made = await bench.only();
    for (const reason of [
      {},
      conditions(),
      pending('Pending', 'no such issuer'),
      conditions({ type: 'Ready', status: 'True' }),
    ]) {
      bench.decide(made, reason);
      await bench.clock.advance(1_000);
    }
    bench.decide(made, issuedBy(ca, made));
    expect((await answered).leaf.publicKey.equals(asked.csr.publicKey)).toBe(true);
  });

  it.each<[string, object, string]>([
    [
      'an approver denies',
      {
        conditions: [
          {
            type: 'Denied',
            status: 'True',
            reason: 'policy.cert-manager.io',
            message: 'no policy approved this request',
          },
        ],
      },
      'certificate_request_refused: expected the CertificateRequest NAME to be signed, got none: it was denied (policy.cert-manager.io: no policy approved this request)',
    ],
    [
      'a controller marks as denied',
      { conditions: [{ type: 'Ready', status: 'False', reason: 'Denied', message: 'denied' }] },
      'certificate_request_refused: expected the CertificateRequest NAME to be signed, got none: it was denied (Denied: denied)',
    ],
    [
      'is invalid to an external issuer',
      conditions({ type: 'InvalidRequest', status: 'True', reason: 'Format', message: 'no URI is allowed' }),
      'certificate_request_refused: expected the CertificateRequest NAME to be signed, got none: it is invalid to the issuer (Format: no URI is allowed)',
    ],
    [
      'the issuer fails to sign',
      pending('Failed', 'Vault is sealed'),
      'certificate_request_failed: expected the CertificateRequest NAME to be signed, got none: the issuer failed (Failed: Vault is sealed)',
    ],
    [
      'fails without a word',
      { conditions: [{ type: 'Denied', status: 'True' }] },
      'certificate_request_refused: expected the CertificateRequest NAME to be signed, got none: it was denied (no reason given)',
    ],
  ])('tells the reason of a request that %s, and asks anew the next time', async (_, verdict, told) => {
    await using bench = await begin();
    const refused = refusalOf(bench.issue(asked));
    const made = await bench.only();
    bench.decide(made, verdict);
    expect(await refused).toBe(told.replace('NAME', made.metadata.name));
    await bench.gone();
    bench.onCreate = (again) => bench.decide(again, issuedBy(ca, again));
    await bench.issue(asked);
  });

  it('makes the words of others short, and leaves out what may be a secret', async () => {
    await using bench = await begin();
    const refused = refusalOf(bench.issue(asked));
    const made = await bench.only();
    const message = `could not sign ${made.spec.request} with eyJhbGciOiJSUzI1NiIsImtpZCI6IkF.${'a'.repeat(80)} ${'word '.repeat(500)}`;
    bench.decide(made, pending('Failed', message));
    const told = await refused;
    expect(told).toContain('could not sign (left out)');
    expect(told.length).toBeLessThan(600);
    expect(told).not.toContain(made.spec.request.slice(100, 160));
  });

  it('says at its deadline what a request waits for, and takes it up where it stands when asked again with the same key', async () => {
    await using bench = await begin();
    const late = refusalOf(bench.issue(asked));
    const made = await bench.only();
    bench.decide(made, pending('Pending', 'referenced issuer is not ready'));
    await bench.clock.advance(9_000);
    expect(await late).toBe(
      `certificate_request_pending: expected the CertificateRequest ${made.metadata.name} to be decided within 9000 ms, got none: Pending: referenced issuer is not ready`,
    );
    await bench.clock.advance(5_000);
    expect(bench.requests.map(({ metadata }) => metadata.uid)).toEqual([made.metadata.uid]);
    const answered = bench.issue(asked);
    await eventually(() => expect(bench.api.requestsTo('POST', '/certificaterequests')).toHaveLength(2));
    bench.decide(made, issuedBy(ca, made));
    await answered;
    await bench.gone();
  });

  it('says when nobody has approved, and removes what nobody came back for', async () => {
    await using bench = await begin();
    const late = refusalOf(bench.issue(asked));
    await bench.only();
    await bench.clock.advance(9_000);
    expect(await late).toContain('got none: nobody has approved or denied it yet');
    await bench.clock.advance(180_000);
    await bench.gone();
  });

  it('removes a request at once when the caller goes away', async () => {
    await using bench = await begin();
    const caller = new AbortController();
    const answered = bench.issue(asked, caller.signal);
    await bench.only();
    caller.abort(new Error('gone'));
    await expect(answered).rejects.toThrow('gone');
    await bench.gone();
  });

  it('asks once for two that ask the same at once, and keeps the request while one of them waits', async () => {
    await using bench = await begin();
    const caller = new AbortController();
    const [first, second] = [bench.issue(asked, caller.signal), bench.issue(asked)];
    const made = await bench.only();
    await eventually(() => expect(bench.api.requestsTo('GET', made.metadata.name)).toHaveLength(1));
    caller.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    bench.decide(made, issuedBy(ca, made));
    expect((await second).leaf.sans.dns).toEqual([request.dnsName]);
    await bench.gone();
  });

  it.each<[string, (made: Asked) => object]>([
    ['had failed', () => pending('Failed', 'earlier')],
    ['was denied', () => ({ conditions: [{ type: 'Denied', status: 'True' }] })],
    ['is of another day', (made) => issuedBy(ca, made)],
  ])('makes a request anew where one of its name is there that %s', async (what, leftOver) => {
    await using bench = await begin();
    const late = refusalOf(bench.issue(asked));
    const made = await bench.only();
    await bench.clock.advance(9_000);
    await late;
    const ageMs = what === 'is of another day' ? 86_400_000 : 1_000;
    const creationTimestamp = later(9_000 - ageMs).toISOString();
    bench.put({ ...made, metadata: { ...made.metadata, creationTimestamp }, status: leftOver(made) });
    bench.onCreate = (again) => bench.decide(again, issuedBy(ca, again));
    await bench.issue(asked);
    expect(bench.api.requestsTo('DELETE', made.metadata.name).length).toBeGreaterThanOrEqual(1);
    await bench.gone();
  });

  it('makes a request again that somebody else deleted, and gives up on one that never stays', async () => {
    await using bench = await begin();
    const answered = bench.issue(asked);
    const first = await bench.only();
    await bench.clock.advance(1_000);
    bench.delete(first);
    const second = await bench.only();
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    bench.decide(second, issuedBy(ca, second));
    await answered;
    await bench.gone();
    bench.onCreate = (made) => void setTimeout(() => bench.delete(made), 20);
    expect(await refusalOf(bench.issue(asked))).toMatch(
      /^certificate_request_failed: .* it was deleted by somebody else 3 times$/,
    );
  });

  it('sweeps what a crash has left, at its start and later, and nothing of others', async () => {
    const old = (name: string, labels: Record<string, string>, ageMs: number) => ({
      metadata: { namespace: 'kedge', name, labels, creationTimestamp: later(-ageMs).toISOString() },
    });
    const own = { 'app.kubernetes.io/managed-by': 'kedge-identity', 'kedge.io/replica': 'identity-9' };
    await using bench = await StandIn.begin(root.bundle, {}, (api) => {
      for (let n = 0; n < 20; n++) api.put(certificateRequests, old(`kedge-${n}`, own, 3_600_000));
      api.put(certificateRequests, old('kedge-young', own, 30_000));
      api.put(certificateRequests, old('web-1', {}, 3_600_000));
      api.put(certificateRequests, old('web-2', { 'app.kubernetes.io/managed-by': 'Helm' }, 3_600_000));
    });
    const names = (): string[] => bench.requests.map(({ metadata }) => metadata.name);
    await eventually(() => expect(names()).toEqual(['kedge-young', 'web-1', 'web-2']));
    await bench.clock.advance(60_000);
    await eventually(() => expect(names()).toEqual(['web-1', 'web-2']));
  });

  it('takes issuance from nobody else where the requests of one workload fail', async () => {
    await using bench = await begin();
    bench.onCreate = (made) => bench.decide(made, pending('Failed', 'the role does not allow this name'));
    for (let time = 0; time < 12; time++) {
      expect(await refusalOf(bench.issue(asked))).toMatch(/^certificate_request_failed: /);
      await bench.gone();
    }
    expect(bench.issuer.state.value).toMatchObject({ state: 'ready' });
    expect(bench.issuer.state.value).not.toHaveProperty('outage');
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made));
    await bench.issue(asked);
  });

  it('tells of an outage where the requests of several workloads fail and none is signed', async () => {
    await using bench = await begin();
    bench.onCreate = (made) => bench.decide(made, pending('Failed', 'Vault answered 503'));
    const told: string[] = [];
    for (let n = 0; n < 8; n++) {
      told.push(await refusalOf(bench.issue({ ...asked, dnsName: `web-${n % 4}.${request.dnsName}` })));
      await bench.gone();
    }
    expect(told.map((each) => each.replace(/:.*/, ''))).toEqual([
      ...Array<string>(2).fill('certificate_request_failed'),
      ...Array<string>(5).fill('certificate_requests_failing'),
      'issuer_outage',
    ]);
    expect(bench.issuer.state.value).toMatchObject({
      outage: { reason: expect.stringContaining('the issuer failed (Failed: Vault answered 503)') as string },
    });
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made));
    await bench.clock.advance(2_000);
    await bench.issue(asked);
    await bench.issue(asked);
    expect(bench.issuer.state.value).not.toHaveProperty('outage');
    bench.onCreate = (made) => bench.decide(made, pending('Failed', 'the role does not allow this name'));
    expect(await refusalOf(bench.issue(asked))).toMatch(/^certificate_request_failed: /);
  });

  it('holds its limit, counts the requests of other replicas, and has those beyond wait for room or come back', async () => {
    await using bench = await begin({ KEDGE_CERT_MANAGER_MAX_REQUESTS: '3' });
    bench.put({
      metadata: {
        ...{ namespace: 'kedge', name: 'kedge-other', creationTimestamp: now.toISOString() },
        labels: { 'app.kubernetes.io/managed-by': 'kedge-identity' },
      },
    } as unknown as Asked);
    await bench.clock.advance(0);
    const callers = new AbortController();
    const keys = [keyPair, ...Array.from({ length: 9 }, () => testKeyPair())];
    const withKeys = keys.map((each) => ({
      ...asked,
      csr: Csr.parse(buildCsr({ keyPair: each, dnsNames: [request.dnsName], uris: [request.uri ?? ''] })),
    }));
    const all = withKeys.map((one) => bench.issue(one, callers.signal));
    const outcomes = Promise.allSettled(all);
    await eventually(() => expect(bench.requests).toHaveLength(3));
    const pem = encodePem('CERTIFICATE REQUEST', withKeys[0]?.csr.der ?? Buffer.alloc(0));
    const first = bench.requests.find(({ spec }) => spec.request === base64(pem));
    if (first === undefined) throw new TypeError('expected the first request');
    bench.decide(first, issuedBy(ca, first));
    await all[0];
    await eventually(() => expect(bench.requests).toHaveLength(2));
    await eventually(async () => {
      // Whoever waits looks again, until the issuer has been told of the room.
      await bench.clock.advance(5);
      expect(bench.api.requestsTo('POST', '/certificaterequests')).toHaveLength(3);
    });
    await bench.clock.advance(5_000);
    const refused = await Promise.all(all.slice(3).map(refusalOf));
    expect(refused).toEqual(Array<unknown>(7).fill(expect.stringMatching(/^issuer_overloaded: /)));
    const [hint] = await Promise.allSettled(all.slice(3));
    expect(hint).toMatchObject({ reason: { retryAfterMs: expect.any(Number) as number } });
    expect(bench.issuer.state.value).not.toHaveProperty('outage');
    expect(bench.log.records.filter(({ message }) => message.endsWith('as are allowed'))).toMatchObject([
      { level: 'warn', fields: { limit: 3 } },
    ]);
    callers.abort(new Error('over'));
    await outcomes;
    await eventually(() => expect(bench.requests).toHaveLength(1));
  });
});

describe('CertManagerIssuer and the API server', () => {
  it.each<[string, (bench: StandIn) => void | Promise<void>]>([
    ['the watch breaks', ({ api }) => api.breakWatches()],
    [
      'the watch ends',
      ({ api }) => {
        api.endWatches();
        const watches = (): number => api.requests.filter(({ query }) => query.has('watch')).length;
        return eventually(() => expect(watches()).toBe(2));
      },
    ],
    [
      'the history is gone as well',
      ({ api }) => {
        api.breakWatches();
        api.compact();
      },
    ],
  ])('hears of its answer also when %s meanwhile', async (_, spoil) => {
    await using bench = await begin();
    const answered = bench.issue(asked);
    const made = await bench.only();
    await bench.clock.advance(2_000);
    await spoil(bench);
    bench.decide(made, issuedBy(ca, made));
    let done = false;
    void answered.then(() => (done = true));
    await eventually(async () => {
      await bench.clock.advance(250);
      expect(done).toBe(true);
    });
    await bench.gone();
  });

  it.each<[number, string, string, string]>([
    [403, 'Forbidden', 'certificaterequests is forbidden', 'certificate_request_not_made'],
    [404, 'NotFound', 'the server could not find the requested resource', 'certificate_request_not_made'],
    [
      500,
      'InternalError',
      'failed calling webhook "webhook.cert-manager.io"',
      'certificate_request_not_made',
    ],
    [429, 'TooManyRequests', 'too many requests', 'certificate_request_not_made'],
    [422, 'Invalid', 'spec.duration: Invalid value', 'certificate_request_refused'],
    [400, 'BadRequest', 'admission webhook denied the request', 'certificate_request_refused'],
    [
      406,
      'NotAcceptable',
      'admission webhook "webhook.cert-manager.io" denied the request',
      'certificate_request_refused',
    ],
  ])('passes on why a request was not taken: %d %s', async (code, reason, message, told) => {
    await using bench = await begin();
    bench.fault = ({ method, path }, response) => {
      if (method !== 'POST' || path !== collectionPath) return false;
      answer(response, code, status(code, reason, message));
      return true;
    };
    expect(await refusalOf(bench.issue(asked))).toBe(
      `${told}: expected the API server to take a CertificateRequest, got create certificaterequests: the API server answered ${code}: ${message}`,
    );
    expect(bench.api.requestsTo('DELETE', '')).toEqual([]);
    bench.fault = () => false;
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made));
    await bench.issue(asked);
  });

  it('makes no request that it could not follow, says so in its state, and recovers', async () => {
    await using bench = await begin();
    expect(bench.issuer.state.value).toEqual({
      ...{ state: 'ready', asksCa: true },
      ...{ notBefore: root.certificate.notBefore, notAfter: root.certificate.notAfter },
    });
    bench.fault = ({ method, query }, response) => {
      if (method !== 'GET' || (!query.has('watch') && !query.has('limit'))) return false;
      answer(response, 403, status(403, 'Forbidden', 'no'));
      return true;
    };
    bench.api.endWatches();
    await eventually(async () => {
      await bench.clock.advance(1_000);
      expect(bench.issuer.state.value).toMatchObject({
        state: 'ready',
        degraded: expect.any(String) as string,
      });
    });
    expect(await refusalOf(bench.issue(asked))).toMatch(
      /^certificate_request_not_made: expected to follow CertificateRequests, got .* 403: no$/,
    );
    expect(bench.requests).toEqual([]);
    bench.fault = () => false;
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made));
    await eventually(async () => {
      await bench.clock.advance(10_000);
      expect(bench.issuer.state.value).not.toHaveProperty('degraded');
    });
    await bench.issue(asked);
    expect(bench.issuer.state.value).toMatchObject({ fingerprint: ca.certificate.fingerprint });
    expect(pathOf(certificateRequests, { namespace: 'kedge' })).toBe(collectionPath);
  });
});

import { validityOf } from '../../../src/identity/validity.ts';
import { issuerErrors } from '../../../src/issuers/errors.ts';
import type { IssuedCertificate, Issuer, IssuerState } from '../../../src/issuers/issuer.ts';
import { LocalIssuer } from '../../../src/issuers/local/local-issuer.ts';
import { FallbackIssuer, fallbackCertificates } from '../../../src/issuers/outage/fallback-issuer.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestCa } from '../../support/test-ca.ts';
import { answerOf, later, now, request } from '../support/issue-request.ts';

const ready = { state: 'ready', notBefore: now, notAfter: later(86_400_000) } as const;
const outage = { since: now, reason: 'expected 200, got 503' };
const refused = issuerErrors.error('issuer_outage', 'expected a CA that answers, got none');
const signal = new AbortController().signal;
const root = TestCa.create();
const otherRoot = TestCa.create();

/** An issuer of one CA; asked how often. */
class Signer implements Issuer {
  readonly state = new LatestValue<IssuerState>(ready);
  answer: IssuedCertificate;
  asked = 0;

  constructor(ca: TestCa) {
    this.answer = answerOf(ca).issued;
  }

  get isAway(): boolean {
    return this.state.value.state !== 'ready' || this.state.value.outage !== undefined;
  }

  issue: Issuer['issue'] = () => {
    this.asked += 1;
    return this.isAway ? Promise.reject(refused) : Promise.resolve(this.answer);
  };

  checkOpen(): void {
    if (this.isAway) throw refused;
  }
}

class Bench {
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly clock = new ManualClock(now);
  readonly first = new Signer(root.intermediate());
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly issuer: FallbackIssuer;

  constructor(fallbacks: Readonly<Record<string, Issuer>>, anchors = root.bundle) {
    this.anchors = new LatestValue<TrustBundle | undefined>(anchors);
    const named = Object.entries(fallbacks).map(([name, issuer]) => ({ name, issuer }));
    const { log, clock } = this;
    const certificates = fallbackCertificates(this.metrics);
    this.issuer = new FallbackIssuer(this.first, named, {
      ...{ anchors: this.anchors, clock, log, certificates, timeoutMs: 10_000 },
    });
  }

  away(): void {
    this.first.state.set({ ...ready, outage });
  }

  /** As when identity is started while the CA is away. */
  unreached(): void {
    this.first.state.set({ state: 'unavailable', reason: 'no connection' });
  }
}

const bothAnchors = TrustBundle.of([...root.bundle.anchors, ...otherRoot.bundle.anchors]);

describe('FallbackIssuer', () => {
  it('asks no fallback while the first issuer can sign, nor where it refuses for another reason', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local });
    expect(await bench.issuer.issue(request, signal)).toBe(bench.first.answer);
    bench.first.issue = () => Promise.reject(issuerErrors.error('issuer_timeout', 'late'));
    await expect(bench.issuer.issue(request, signal)).rejects.toThrow('late');
    expect(local.asked).toBe(0);
  });

  it('has the next one that can sign do it while the CA is away, and says so loudly', async () => {
    const closed = new Signer(root.intermediate());
    closed.state.set({ state: 'unavailable', reason: 'not read yet' });
    const local = new Signer(root.intermediate());
    const bench = new Bench({ vault: closed, local });
    bench.away();
    expect(() => bench.issuer.checkOpen()).not.toThrow();
    for (let time = 0; time < 3; time += 1)
      expect(await bench.issuer.issue(request, signal)).toBe(local.answer);
    expect(closed.asked).toBe(0);
    expect(bench.issuer.state.value).toEqual({ ...ready, outage: { ...outage, standIn: 'local' } });
    const told = bench.log.withMessage('a fallback issuer signs, because the CA does not answer');
    expect(told).toMatchObject([
      { level: 'error', fields: { issuer: 'local', until: ready.notAfter.toISOString() } },
    ]);
    expect(await bench.metrics.text()).toContain(
      'kedge_issuer_fallback_certificates_total{issuer="local"} 3',
    );
    bench.first.state.set(ready);
    expect(await bench.issuer.issue(request, signal)).toBe(bench.first.answer);
    expect(bench.issuer.state.value).toEqual(ready);
  });

  it('uses none that signs under another anchor than the first issuer, though that is published too', async () => {
    const other = new Signer(otherRoot.intermediate());
    const bench = new Bench({ other }, bothAnchors);
    await bench.issuer.issue(request, signal);
    bench.away();
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    const [record] = bench.log.withMessage('a fallback issuer cannot be used');
    expect(record?.fields['reason']).toMatch(
      /^expected other to chain to an anchor of the first issuer \(.+\), got .+/,
    );
    expect(bench.issuer.state.value).toEqual({ ...ready, outage });
  });

  it('knows the anchor of a CA that has signed nothing yet only if there is but one', async () => {
    const local = new Signer(root.intermediate());
    const several = new Bench({ local }, bothAnchors);
    several.away();
    await expect(several.issuer.issue(request, signal)).rejects.toBe(refused);
    const one = new Bench({ local });
    one.away();
    expect(await one.issuer.issue(request, signal)).toBe(local.answer);
  });

  it('goes by the anchors of this moment, though the CA has signed under others', async () => {
    const renewed = TestCa.create({
      commonName: root.certificate.subject.replace('CN=', ''),
      keyPair: root.keyPair,
    });
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local });
    await bench.issuer.issue(request, signal);
    bench.anchors.set(TrustBundle.of([...renewed.bundle.anchors, ...otherRoot.bundle.anchors]));
    bench.away();
    expect(await bench.issuer.issue(request, signal)).toBe(local.answer);
    local.answer = answerOf(otherRoot.intermediate()).issued;
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
  });

  it('learns nothing of the CA from an answer that leads to no anchor', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local }, bothAnchors);
    await bench.issuer.issue(request, signal);
    bench.first.answer = answerOf(TestCa.create().intermediate()).issued;
    await bench.issuer.issue(request, signal);
    bench.away();
    expect(await bench.issuer.issue(request, signal)).toBe(local.answer);
  });

  it('goes on to the next where a fallback fails, and gives the reason of the first where all do', async () => {
    const failing = new Signer(root.intermediate());
    const ended = (): Promise<never> => Promise.reject(issuerErrors.error('issuer_unavailable', 'ended'));
    failing.issue = ended;
    const local = new Signer(root.intermediate());
    const bench = new Bench({ failing, local });
    bench.away();
    expect(await bench.issuer.issue(request, signal)).toBe(local.answer);
    local.issue = ended;
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    // Once in an outage for each, however many ask.
    const told = (): unknown =>
      bench.log
        .withMessage('a fallback issuer cannot be used')
        .map(({ fields: { issuer, reason } }) => [issuer, reason]);
    const once = ['failing', 'local'].map((issuer) => [issuer, 'ended']);
    expect(told()).toEqual(once);
    bench.first.state.set(ready);
    bench.away();
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    expect(told()).toEqual([...once, ...once]);
  });

  it('signs in time for whoever was the probe of a CA that never answers', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local });
    bench.away();
    let probe: AbortSignal | undefined;
    bench.first.issue = (_, given) => {
      probe = given;
      return new Promise(() => undefined);
    };
    const { pending } = bench.clock;
    const asked = bench.issuer.issue(request, signal);
    await bench.clock.advance(5_000);
    expect(await asked).toBe(local.answer);
    expect(probe?.reason).toMatchObject({ code: 'issuer_timeout', kind: 'unavailable' });
    expect(bench.clock.pending).toBe(pending);
    bench.first.state.set(ready);
    expect(bench.clock.pending).toBe(0);
  });

  it('has nobody ask in vain where no fallback can sign', () => {
    const closed = new Signer(root.intermediate());
    closed.state.set({ state: 'unavailable', reason: 'not read yet' });
    const bench = new Bench({ closed });
    bench.away();
    expect(() => bench.issuer.checkOpen()).toThrow(refused);
  });

  it('has a fallback sign where identity starts and does not reach the CA, but gives it half a minute first', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local });
    bench.unreached();
    await bench.clock.advance(29_000);
    expect(bench.issuer.state.value).toEqual({ state: 'unavailable', reason: 'no connection' });
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    await bench.clock.advance(1_000);
    const unreached = { since: now, reason: 'no connection' };
    expect(bench.issuer.state.value).toEqual({ ...ready, outage: { ...unreached, standIn: 'local' } });
    expect(await bench.issuer.issue(request, signal)).toBe(local.answer);
    bench.first.state.set(ready);
    expect(bench.issuer.state.value).toEqual(ready);
    expect(await bench.issuer.issue(request, signal)).toBe(bench.first.answer);
  });

  it('stands in for a CA that was never reached only where there is but one anchor that can be meant', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local }, bothAnchors);
    bench.unreached();
    await bench.clock.advance(60_000);
    expect(bench.issuer.state.value).toEqual({ state: 'unavailable', reason: 'no connection' });
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    expect(local.asked).toBe(0);
    bench.anchors.set(root.bundle);
    expect(bench.issuer.state.value).toMatchObject({ state: 'ready', outage: { reason: 'no connection' } });
  });

  it('is ready by a fallback no longer than that is', async () => {
    const local = new Signer(root.intermediate());
    const bench = new Bench({ local });
    bench.unreached();
    await bench.clock.advance(30_000);
    local.state.set({ state: 'unavailable', reason: 'ended' });
    expect(bench.issuer.state.value).toEqual({ state: 'unavailable', reason: 'no connection' });
  });
});

describe('what FallbackIssuer says while the CA is away', () => {
  const shortLived = { ...ready, notAfter: later(600_000), fingerprint: 'local' };

  it('names who stands in, until when that lasts and what it is, before anything was asked of it', () => {
    const local = new Signer(root.intermediate());
    local.state.set(shortLived);
    const bench = new Bench({ local });
    expect(bench.issuer.state.value).toEqual(ready);
    bench.away();
    expect(bench.issuer.state.value).toEqual({ ...shortLived, outage: { ...outage, standIn: 'local' } });
    local.state.set({ ...shortLived, notAfter: later(1_200_000) });
    expect(bench.issuer.state.value).toMatchObject({ notAfter: later(1_200_000) });
    bench.first.state.set(ready);
    expect(bench.issuer.state.value).toEqual(ready);
  });

  it('names none where each has a CA that is away, too', async () => {
    const vault = new Signer(root.intermediate());
    const bench = new Bench({ vault });
    vault.state.set({ ...ready, outage });
    bench.away();
    expect(bench.issuer.state.value).toEqual({ ...ready, outage });
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    expect(vault.asked).toBe(1);
    vault.state.set(ready);
    expect(bench.issuer.state.value).toEqual({ ...ready, outage: { ...outage, standIn: 'vault' } });
  });

  it('names one that signed under another anchor again only once it signs under the right one', async () => {
    const local = new Signer(otherRoot.intermediate());
    const bench = new Bench({ local }, bothAnchors);
    await bench.issuer.issue(request, signal);
    bench.away();
    expect(bench.issuer.state.value).toMatchObject({ outage: { standIn: 'local' } });
    await expect(bench.issuer.issue(request, signal)).rejects.toBe(refused);
    expect(bench.issuer.state.value).toEqual({ ...ready, outage });
    local.answer = answerOf(root.intermediate()).issued;
    await bench.issuer.issue(request, signal);
    expect(bench.issuer.state.value).toMatchObject({ outage: { standIn: 'local' } });
  });

  it('goes on to the next when a fallback ends, and names none after the last', async () => {
    const local = new Signer(root.intermediate());
    const other = new Signer(root.intermediate());
    local.state.set(shortLived);
    other.state.set({ ...ready, notAfter: later(1_200_000) });
    const bench = new Bench({ local, other });
    bench.away();
    await bench.clock.advance(599_000);
    expect(bench.issuer.state.value).toMatchObject({ outage: { standIn: 'local' } });
    await bench.clock.advance(1_000);
    expect(bench.issuer.state.value).toMatchObject({
      ...{ notAfter: later(1_200_000), outage: { standIn: 'other' } },
    });
    expect(await bench.issuer.issue(request, signal)).toBe(other.answer);
    expect(local.asked).toBe(0);
    await bench.clock.advance(600_000);
    expect(bench.issuer.state.value).toEqual({ ...ready, outage });
    expect(() => bench.issuer.checkOpen()).toThrow(refused);
  });
});

describe('the certificates of a fallback', () => {
  const limits = { lifetimeMs: 3_600_000, skewMs: 20_000 };
  const locally = (notAfter: Date): LocalIssuer => {
    const pair = root.intermediate({ notAfter });
    const current = new LatestValue({ pair, notBefore: now, notAfter });
    return new LocalIssuer({ current, problem: new LatestValue(undefined) }, new ManualClock(now));
  };
  const given = async (bench: Bench): Promise<Date> => {
    const validity = validityOf(bench.issuer.state.value, limits, now);
    return (await bench.issuer.issue({ ...request, ...validity }, signal)).leaf.notAfter;
  };

  it('end with it, where it ends before they would', async () => {
    const bench = new Bench({ local: locally(later(600_000)) });
    bench.away();
    expect(await given(bench)).toEqual(later(600_000));
    // Also one that was decided on just before the outage.
    expect((await bench.issuer.issue(request, signal)).leaf.notAfter).toEqual(later(600_000));
  });

  it('last as long as they would, though the CA that is away ends sooner or has ended', async () => {
    const bench = new Bench({ local: locally(later(86_400_000)) });
    bench.first.state.set({ ...ready, notAfter: later(600_000), outage });
    expect(await given(bench)).toEqual(later(3_600_000));
    bench.first.state.set({ ...ready, notAfter: later(-1_000), outage });
    expect(await given(bench)).toEqual(later(3_600_000));
  });
});

import { CheckedIssuer } from '../../src/issuers/checked-issuer.ts';
import type { IssuedCertificate, Issuer, IssuerState } from '../../src/issuers/issuer.ts';
import { issuerMetrics } from '../../src/issuers/issuer-metrics.ts';
import { issuerErrors } from '../../src/issuers/errors.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import { answerOf, now, request } from './support/issue-request.ts';

const ca = TestCa.create().intermediate();
const signal = new AbortController().signal;

/** An issuer behind the checks that answers as a test says. */
class Bench implements Issuer {
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly anchors = new LatestValue<TrustBundle | undefined>(ca.bundle);
  readonly state = new LatestValue<IssuerState>({ state: 'unavailable', reason: 'test' });
  readonly checked: CheckedIssuer;
  readonly #answer: (signal: AbortSignal) => Promise<IssuedCertificate>;

  constructor(answer: (signal: AbortSignal) => Promise<IssuedCertificate>) {
    this.#answer = answer;
    const { anchors, clock, log } = this;
    const metrics = issuerMetrics(this.metrics);
    this.checked = new CheckedIssuer(this, { anchors, clock, log, metrics, timeoutMs: 10_000 });
  }

  issue(_: unknown, bounded: AbortSignal): Promise<IssuedCertificate> {
    return this.#answer(bounded);
  }
}

describe('CheckedIssuer', () => {
  it('passes on a certificate that is as it was asked for', async () => {
    const { issued } = answerOf(ca);
    const { checked, metrics } = new Bench(() => Promise.resolve(issued));
    expect(await checked.issue(request, signal)).toBe(issued);
    expect(await metrics.text()).toContain('kedge_issuer_requests_total{result="ok"} 1');
  });

  it('throws away one that is not, counts it by the rule and tells it', async () => {
    const { issued } = answerOf(ca, { isCa: true });
    const { checked, metrics, log } = new Bench(() => Promise.resolve(issued));
    expect(await refusalOf(checked.issue(request, signal))).toContain('the rule "not-a-ca"');
    const text = await metrics.text();
    expect(text).toContain('kedge_issuer_refused_answers_total{rule="not-a-ca"} 1');
    expect(text).toContain('kedge_issuer_requests_total{result="refused"} 1');
    expect(
      log.withMessage('the issuer answered with a wrong certificate, which was thrown away')[0],
    ).toMatchObject({
      level: 'error',
      fields: { identity: request.dnsName, serial: issued.leaf.serial, fingerprint: issued.leaf.fingerprint },
    });
  });

  it('does not wait beyond the deadline, even for an issuer that does not heed it', async () => {
    const bench = new Bench(() => new Promise(() => undefined));
    const answer = refusalOf(bench.checked.issue(request, signal));
    await bench.clock.advance(10_000);
    expect(await answer).toBe('issuer_timeout: expected an answer within 10000 ms, got none');
    expect(await bench.metrics.text()).toContain('kedge_issuer_requests_total{result="unavailable"} 1');
  });

  it('tells the issuer that nobody waits any more', async () => {
    let heard: AbortSignal | undefined;
    const bench = new Bench((bounded) => {
      heard = bounded;
      return new Promise(() => undefined);
    });
    const caller = new AbortController();
    const answer = bench.checked.issue(request, caller.signal);
    caller.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    expect(heard?.aborted).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('passes on why an issuer cannot sign', async () => {
    const failure = issuerErrors.error('issuer_unavailable', 'sealed', { retryAfterMs: 7 });
    const { checked, metrics } = new Bench(() => Promise.reject(failure));
    await expect(checked.issue(request, signal)).rejects.toBe(failure);
    expect(await metrics.text()).toContain('kedge_issuer_requests_total{result="unavailable"} 1');
  });

  it('counts what nobody expected apart', async () => {
    const { checked, metrics } = new Bench(() => Promise.reject(new TypeError('bug')));
    await expect(checked.issue(request, signal)).rejects.toThrow('bug');
    expect(await metrics.text()).toContain('kedge_issuer_requests_total{result="error"} 1');
  });

  it('lets nothing pass while there are no anchors to verify it with', async () => {
    const bench = new Bench(() => Promise.resolve(answerOf(ca).issued));
    bench.anchors.set(undefined);
    expect(await refusalOf(bench.checked.issue(request, signal))).toBe(
      'issuer_unavailable: expected trust anchors, got none yet',
    );
  });

  it('verifies with the anchors of this moment', async () => {
    const bench = new Bench(() => Promise.resolve(answerOf(ca).issued));
    await bench.checked.issue(request, signal);
    bench.anchors.set(TestCa.create().bundle);
    expect(await refusalOf(bench.checked.issue(request, signal))).toContain('the rule "chain"');
  });

  it('has the state of the issuer inside', () => {
    const { checked, state } = new Bench(() => new Promise(() => undefined));
    expect(checked.state).toBe(state);
  });
});

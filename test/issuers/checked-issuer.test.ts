import { CheckedIssuer } from '../../src/issuers/checked-issuer.ts';
import type { IssuedCertificate, Issuer, IssuerState } from '../../src/issuers/issuer.ts';
import { issuerMetrics } from '../../src/issuers/issuer-metrics.ts';
import { issuerErrors } from '../../src/issuers/errors.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { errorCatalogue } from '../../src/runtime/errors.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import type { CertificateSpec } from '../support/certificate-builder.ts';
import { answerOf, later, now, request } from './support/issue-request.ts';
import { honestExtensions, leafBytes, serial } from './support/leaf-variants.ts';

const ca = TestCa.create().intermediate();
const signal = new AbortController().signal;

const thrownAway = 'the issuer answered with a wrong certificate, which was thrown away';
const readLeaf = (spec: Partial<CertificateSpec>): Certificate => Certificate.parse(leafBytes(ca, spec));

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
    expect((await checked.issue(request, signal)).leaf).toBe(issued.leaf);
    expect(await metrics.text()).toContain('kedge_issuer_requests_total{result="ok"} 1');
  });

  it('throws away one that is not, counts it by the rule and tells it, to the log alone', async () => {
    const { issued } = answerOf(ca, { commonName: 'evil.example' });
    const { checked, metrics, log } = new Bench(() => Promise.resolve(issued));
    expect(await refusalOf(checked.issue(request, signal))).toBe(
      'issued_certificate_refused: the certificate from the issuer breaks the rule "names"; the log of the identity service says how',
    );
    const text = await metrics.text();
    expect(text).toContain('kedge_issuer_refused_answers_total{rule="names"} 1');
    expect(text).toContain('kedge_issuer_requests_total{result="refused"} 1');
    const { serial, fingerprint } = issued.leaf;
    const reason =
      'the certificate from the issuer breaks the rule "names": expected no other common name, got "evil.example"';
    expect(log.withMessage(thrownAway)).toEqual([
      {
        level: 'error',
        message: thrownAway,
        fields: { identity: request.dnsName, serial, fingerprint, rule: 'names', reason },
      },
    ]);
  });

  it.each<[string, () => Certificate]>([
    ['garbage', () => Certificate.parse(Buffer.from('garbage'))],
    ['garbage in PEM', () => Certificate.parsePem('<html>')[0]!],
    ['bytes behind it', () => Certificate.parse(Buffer.concat([leafBytes(ca), Buffer.from([0])]))],
    ['an extension twice', () => readLeaf({ extensions: [...honestExtensions, honestExtensions[1]!] })],
    ['a negative serial number', () => readLeaf({ serial: Buffer.from('0209ff00112233445566aa', 'hex') })],
    ['a serial number of 21 octets', () => readLeaf({ serial: serial('7f'.repeat(21)) })],
    ['version 1', () => readLeaf({ version: Buffer.alloc(0), extensions: [] })],
  ])('counts as a wrong answer one that nobody can read: %s', async (_, read) => {
    const { issued } = answerOf(ca);
    const { checked, metrics, log } = new Bench(async () => ({ ...issued, leaf: read() }));
    expect(await refusalOf(checked.issue(request, signal))).toContain('breaks the rule "format"; the log');
    expect(await metrics.text()).toContain('kedge_issuer_refused_answers_total{rule="format"} 1');
    expect(await metrics.text()).toContain('kedge_issuer_requests_total{result="refused"} 1');
    expect(log.withMessage(thrownAway)[0]?.fields['reason']).toContain('breaks the rule "format": ');
  });

  it('counts likewise what an issuer itself found to be no answer', async () => {
    const errors = errorCatalogue({ ca_answer_malformed: { kind: 'internal', help: 'Look at the CA.' } });
    const { checked, metrics, log } = new Bench(() =>
      Promise.reject(errors.error('ca_answer_malformed', '<html>')),
    );
    expect(await refusalOf(checked.issue(request, signal))).not.toContain('html');
    expect(await metrics.text()).toContain('kedge_issuer_refused_answers_total{rule="format"} 1');
    expect(log.withMessage(thrownAway)[0]?.fields['reason']).toContain('<html>');
  });

  it('bounds what it tells of a name that a CA made as long as it likes', async () => {
    const issuer = ca.intermediate({ commonName: 'x'.repeat(20_000), notAfter: later(60_000) });
    const { checked, log } = new Bench(() => Promise.resolve(answerOf(issuer).issued));
    expect(await refusalOf(checked.issue(request, signal))).toContain('the rule "chain"');
    expect(log.text.length).toBeLessThan(2_000);
  });

  it('says once that the CA gives less time than asked, and counts how often', async () => {
    const answers = [60_000, 60_000, 3_500_000, 60_000].map(
      (ms) => answerOf(ca, { notAfter: later(ms) }).issued,
    );
    const { checked, metrics, log } = new Bench(async () => answers.shift()!);
    for (let left = 4; left > 0; left -= 1) await checked.issue(request, signal);
    const told = log.withMessage('the CA gives certificates that end sooner than asked');
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({
      level: 'warn',
      fields: { asked: request.notAfter.toISOString(), given: later(60_000).toISOString() },
    });
    expect(await metrics.text()).toContain('kedge_issuer_shortened_total 3\n');
  });

  it('counts the anchors that certificates chain to, and says when they are others', async () => {
    const next = TestCa.create();
    const answers = [ca, ca, next].map((issuer) => answerOf(issuer).issued);
    const bench = new Bench(async () => answers.shift()!);
    bench.anchors.set(ca.bundle.union(next.bundle));
    for (let left = 3; left > 0; left -= 1) await bench.checked.issue(request, signal);
    expect(bench.log.records.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'certificates chain to other anchors than before: peers that hold none of these refuse them'],
    ]);
    const text = await bench.metrics.text();
    expect(text).toContain(`kedge_issuer_anchored_total{anchor="${ca.anchor.fingerprint}"} 2\n`);
    expect(text).toContain(`kedge_issuer_anchored_total{anchor="${next.anchor.fingerprint}"} 1\n`);
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

  it('has a workload come back later, where the issuer did not say when', async () => {
    const failure = issuerErrors.error('issuer_unavailable', 'sealed');
    const { checked } = new Bench(() => Promise.reject(failure));
    await expect(checked.issue(request, signal)).rejects.toMatchObject({
      ...{ code: 'issuer_unavailable', kind: 'unavailable', message: 'sealed' },
      ...{ retryAfterMs: 5_000, cause: failure },
    });
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

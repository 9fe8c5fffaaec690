import { setImmediate as nextTurn } from 'node:timers/promises';
import { DirectorySource } from '../../../src/issuers/local/directory-source.ts';
import { issuerMetrics } from '../../../src/issuers/issuer-metrics.ts';
import type { CaKeyPair } from '../../../src/pki/ca-key-pair.ts';
import { encodePrivateKey, keyMatches } from '../../../src/pki/keys.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { serverIdentity } from '../../support/rpc-server.ts';
import { TemporaryDirectory, type Files } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { later, now } from '../support/issue-request.ts';

const hour = 3_600_000;
const root = TestCa.create();
const first = root.intermediate();
const second = root.intermediate();
const rsaRoot = TestCa.create({ keyType: 'RSA' });
const kept = 'issuer files refused, the last good pair stays in use';

/** As `kubernetes.io/tls` Secrets name them. */
function tls(ca: CaKeyPair, key: CaKeyPair = ca): Files {
  const certificates = [ca.certificate, ...ca.chain].map(({ pem }) => pem).join('');
  return { 'tls.crt': certificates, 'tls.key': encodePrivateKey(key.key) };
}

class Bench implements Disposable {
  readonly directory = new TemporaryDirectory();
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly source: DirectorySource;
  readonly #ended = new AbortController();

  private constructor(anchors: TrustBundle | undefined) {
    this.anchors = new LatestValue(anchors);
    const { clock, log } = this;
    this.source = new DirectorySource({
      directory: this.directory.path,
      anchors: this.anchors,
      identity: serverIdentity,
      clock,
      log,
      metrics: issuerMetrics(this.metrics),
      intervalMs: 10_000,
    });
  }

  static async start(files: Files = tls(first), anchors?: TrustBundle): Promise<Bench> {
    const bench = new Bench(anchors ?? root.bundle.union(rsaRoot.bundle));
    bench.directory.write(files);
    await bench.source.start(bench.#ended.signal);
    return bench;
  }

  /** The fingerprint of the CA in use. */
  get inUse(): string | undefined {
    return this.source.current.value?.pair.certificate.fingerprint;
  }

  /** Waits until a problem is told that says this. */
  async problem(message: string): Promise<void> {
    await eventually(() => expect(this.source.problem.value).toContain(message));
  }

  async uses(ca: TestCa): Promise<void> {
    await eventually(() => expect(this.inUse).toBe(ca.certificate.fingerprint));
    expect(this.source.problem.value).toBeUndefined();
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.directory[Symbol.dispose]();
  }
}

describe('DirectorySource', () => {
  it('loads a pair under the names of kubernetes.io/tls', async () => {
    using bench = await Bench.start();
    await bench.uses(first);
    expect(bench.source.current.value?.notAfter).toEqual(first.certificate.notAfter);
    expect(bench.log.withMessage('issuer loaded')).toHaveLength(1);
    expect(await bench.metrics.text()).toContain('kedge_issuer_candidates_total{result="taken"} 1');
  });

  it('loads a pair under the names of Linkerd', async () => {
    const { 'tls.crt': crt, 'tls.key': key } = tls(first);
    using bench = await Bench.start({ 'crt.pem': crt, 'key.pem': key });
    await bench.uses(first);
  });

  it('loads an anchor that signs by itself', async () => {
    using bench = await Bench.start(tls(root));
    await bench.uses(root);
  });

  it('sends what stands between the issuer and the anchor, and not the anchor', async () => {
    const deep = first.intermediate();
    using bench = await Bench.start({
      ...tls(deep),
      'tls.crt': [deep, first, root].map(({ certificate }) => certificate.pem).join(''),
    });
    await bench.uses(deep);
    expect(bench.source.current.value?.pair.chain).toEqual([first.certificate]);
  });

  it('ends with the first of all above it to end', async () => {
    const brief = TestCa.create({ notAfter: later(2 * hour) });
    using bench = await Bench.start(tls(brief.intermediate()), brief.bundle);
    expect(bench.source.current.value?.notAfter).toEqual(later(2 * hour));
  });

  it('takes a new pair that was written over the old one', async () => {
    using bench = await Bench.start();
    bench.directory.write(tls(second));
    await bench.uses(second);
  });

  it('takes a new pair of a mounted Secret', async () => {
    using bench = await Bench.start({});
    bench.directory.mount(tls(first));
    await bench.uses(first);
    bench.directory.mount(tls(second));
    await bench.uses(second);
  });

  it('notices a change that the file system tells nobody of', async () => {
    using bench = await Bench.start({});
    bench.directory.mount(tls(first));
    await bench.uses(first);
    // Through the links into a directory that nobody watches.
    bench.directory.write(tls(second));
    await eventually(async () => {
      await bench.clock.advance(10_000);
      expect(bench.inUse).toBe(second.certificate.fingerprint);
    });
  });

  it.each<[string, () => Files, string]>([
    ['whose key belongs to another', () => tls(second, first), 'expected the private key of'],
    ['that has ended', () => tls(root.intermediate({ notAfter: later(-hour / 2) })), 'to be valid at'],
    [
      'that does not begin before tomorrow',
      () => tls(root.intermediate({ notBefore: later(24 * hour) })),
      'valid',
    ],
    ['that is not a CA', () => tls(root.intermediate({ isCa: false })), 'without the CA flag'],
    [
      'that may not sign',
      () => tls(root.intermediate({ keyUsage: [0] })),
      'without the key usage keyCertSign',
    ],
    ['of other anchors', () => tls(TestCa.create().intermediate()), 'among the intermediates or the anchors'],
    [
      'with a key of a kind that is not accepted',
      () => tls(root.intermediate({ keyType: 'P-521' })),
      'CA key of',
    ],
    ['for other names', () => tls(root.intermediate({ permittedDns: ['other.example'] })), 'signed on trial'],
    ['for other uses', () => tls(root.intermediate({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] })), 'usage'],
    [
      'with a constraint on URIs',
      () => tls(root.intermediate({ permittedUri: ['cluster.local'] })),
      'constraint',
    ],
    [
      'with a critical extension unknown to all',
      () => tls(root.intermediate({ unknownCritical: true })),
      'critical',
    ],
    ['signed with RSA-PSS', () => tls(rsaRoot.intermediate({ signature: 'rsa-pss' })), 'PSS'],
    ['whose certificate is cut off', () => ({ 'tls.crt': first.certificate.pem.slice(0, 300) }), 'PEM'],
    ['whose certificate is empty', () => ({ 'tls.crt': '' }), 'PEM'],
    ['whose key is cut off', () => ({ 'tls.key': encodePrivateKey(first.key).slice(0, 60) }), 'PEM'],
    ['whose key is garbage', () => ({ 'tls.key': 'garbage' }), 'private key'],
    ['without a certificate', () => ({ 'tls.crt': undefined }), 'got no tls.crt'],
    ['without a key', () => ({ 'tls.key': undefined }), 'got no tls.key'],
    ['that was removed', () => ({ 'tls.crt': undefined, 'tls.key': undefined }), 'got neither'],
    ['beside another under the other names', () => ({ 'crt.pem': 'x' }), 'got both'],
  ])('goes on with the last good pair when it finds one %s, and recovers', async (_, files, message) => {
    using bench = await Bench.start();
    bench.directory.write(files());
    await bench.problem(message);
    expect(bench.inUse).toBe(first.certificate.fingerprint);
    expect(bench.log.withMessage(kept)[0]).toMatchObject({
      level: 'warn',
      fields: { inUse: first.certificate.label },
    });
    expect(await bench.metrics.text()).toMatch(/kedge_issuer_candidates_total\{result="refused"\} [1-9]/);

    bench.directory.write({ 'crt.pem': undefined, 'key.pem': undefined });
    bench.directory.write(tls(second));
    await bench.uses(second);
  });

  it('says nothing of a key in what it tells', async () => {
    using bench = await Bench.start();
    const key = encodePrivateKey(second.key);
    bench.directory.write({ 'tls.key': key.replace('-----END', '!!----END') });
    await bench.problem('PEM');
    for (const line of key.split('\n').slice(1, -2)) expect(bench.log.text).not.toContain(line);
  });

  it('survives that the whole directory goes and comes back', async () => {
    using bench = await Bench.start();
    bench.directory[Symbol.dispose]();
    await bench.clock.advance(10_000);
    await bench.problem('got neither');
    expect(bench.inUse).toBe(first.certificate.fingerprint);
    bench.directory.restore();
    bench.directory.write(tls(second));
    await eventually(async () => {
      await bench.clock.advance(10_000);
      expect(bench.inUse).toBe(second.certificate.fingerprint);
    });
  });

  it('always holds a whole pair while the files are swapped again and again', async () => {
    using bench = await Bench.start();
    const taken: (string | undefined)[] = [];
    bench.source.current.subscribe((ca) =>
      taken.push(ca && keyMatches(ca.pair.certificate, ca.pair.key) ? 'whole' : 'broken'),
    );
    for (let round = 0; round < 40; round++) {
      bench.directory.write(tls(round % 2 === 0 ? second : first));
      if (round % 3 === 0) bench.directory.write({ 'tls.crt': 'half', 'tls.key': undefined });
      await nextTurn();
    }
    bench.directory.write(tls(second));
    await bench.uses(second);
    expect(taken).not.toContain('broken');
  });

  it('waits for anchors, then takes the pair that was there all the time', async () => {
    using bench = await Bench.start({});
    bench.anchors.set(undefined);
    bench.directory.write(tls(first));
    await bench.problem('there are no trust anchors to verify the issuer with');
    bench.anchors.set(root.bundle);
    await bench.uses(first);
  });

  it('stops using a pair that the anchors no longer carry, and says so', async () => {
    using bench = await Bench.start();
    bench.anchors.set(TestCa.create().bundle);
    expect(bench.inUse).toBeUndefined();
    expect(
      bench.log.withMessage('issuer files refused, and there is no good pair to go on with'),
    ).toHaveLength(1);
    bench.anchors.set(root.bundle);
    await bench.uses(first);
  });

  it('keeps its pair while anchors come and go beside its own', async () => {
    using bench = await Bench.start();
    const pair = bench.source.current.value?.pair;
    bench.anchors.set(root.bundle.union(TestCa.create().bundle));
    bench.anchors.set(root.bundle);
    expect(bench.source.current.value?.pair).toBe(pair);
  });

  it('stops using a pair when it ends', async () => {
    using bench = await Bench.start(tls(root.intermediate({ notAfter: later(hour) })));
    await bench.clock.advance(hour - 10_000);
    expect(bench.inUse).toBeDefined();
    await bench.clock.advance(20_000);
    expect(bench.inUse).toBeUndefined();
    expect(bench.source.problem.value).toContain('to be valid at');
  });

  it('begins to use a pair when it begins to be valid', async () => {
    const young = root.intermediate({ notBefore: later(hour) });
    using bench = await Bench.start(tls(young));
    expect(bench.inUse).toBeUndefined();
    await bench.clock.advance(hour + 10_000);
    await bench.uses(young);
  });

  it('tells the same problem once, however often it looks', async () => {
    using bench = await Bench.start();
    bench.directory.write({ 'tls.key': 'garbage' });
    await bench.problem('private key');
    await bench.clock.advance(600_000);
    expect(bench.log.withMessage(kept)).toHaveLength(1);
  });

  it('tells once of a pair that has ended, although the time goes on', async () => {
    using bench = await Bench.start();
    bench.directory.write(tls(root.intermediate({ notAfter: later(-hour / 2) })));
    await bench.problem('to be valid at');
    const problems: (string | undefined)[] = [];
    bench.source.problem.subscribe((problem) => problems.push(problem));
    await bench.clock.advance(600_000);
    expect(bench.log.withMessage(kept)).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('tells when there is no good pair any more, although the files were bad all the time', async () => {
    using bench = await Bench.start(tls(root.intermediate({ notAfter: later(hour) })));
    bench.directory.write({ 'tls.key': 'garbage' });
    await bench.problem('private key');
    await bench.clock.advance(hour + 10_000);
    expect(bench.inUse).toBeUndefined();
    expect(
      bench.log.withMessage('issuer files refused, and there is no good pair to go on with'),
    ).toHaveLength(1);
  });

  it('goes on telling of files that cannot be read, as long as they cannot', async () => {
    using bench = await Bench.start();
    bench.directory.write({ 'tls.key': 'x'.repeat(16 * 1024 * 1024 + 1) });
    await bench.problem('expected at most');
    await bench.clock.advance(60_000);
    expect(bench.source.problem.value).toContain('expected at most');
    expect(bench.inUse).toBe(first.certificate.fingerprint);
    bench.directory.write(tls(second));
    await bench.uses(second);
  });
});

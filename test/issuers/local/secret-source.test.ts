import { issuerMetrics } from '../../../src/issuers/issuer-metrics.ts';
import { caTextsOf, SecretSource, type CaTexts } from '../../../src/issuers/local/secret-source.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCollection } from '../../support/memory-collection.ts';
import { serverIdentity } from '../../support/rpc-server.ts';
import { TestCa } from '../../support/test-ca.ts';
import { later, now } from '../support/issue-request.ts';

const root = TestCa.create();
const first = root.intermediate();
const second = root.intermediate();
const key = 'kedge/kedge-issuer';

function base64(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
}

function textsOf(ca: TestCa): { certificates: string; privateKey: string } {
  return { certificates: ca.certificate.pem, privateKey: encodePrivateKey(ca.key) };
}

/** The Secret as the informer keeps it. */
function secret(ca: TestCa, names: readonly [string, string] = ['tls.crt', 'tls.key']): CaTexts {
  const { certificates, privateKey } = textsOf(ca);
  const data = base64({ [names[0]]: certificates, [names[1]]: privateKey, 'ca.crt': 'not looked at' });
  return caTextsOf({ metadata: { name: 'kedge-issuer' }, data });
}

class Bench implements Disposable {
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly secrets = new MemoryCollection<CaTexts>();
  readonly anchors = new LatestValue<TrustBundle | undefined>(root.bundle);
  readonly source: SecretSource;
  readonly #ended = new AbortController();

  constructor() {
    const { clock, log, secrets, anchors } = this;
    this.source = new SecretSource({
      ...{ secrets, key, anchors, clock, log },
      identity: serverIdentity,
      metrics: issuerMetrics(this.metrics),
      intervalMs: 10_000,
    });
    this.source.start(this.#ended.signal);
  }

  get inUse(): string | undefined {
    return this.source.current.value?.pair.certificate.fingerprint;
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}

describe('SecretSource', () => {
  it.each([[['tls.crt', 'tls.key']], [['crt.pem', 'key.pem']]] as const)(
    'loads a pair under the names %p, and takes a new one at once',
    (names) => {
      using bench = new Bench();
      bench.secrets.set(key, secret(first, names)).sync();
      expect(bench.inUse).toBe(first.certificate.fingerprint);
      bench.secrets.set(key, secret(second, names));
      expect(bench.inUse).toBe(second.certificate.fingerprint);
      expect(bench.source.problem.value).toBeUndefined();
    },
  );

  it('lasts as long as the anchor that lasts longest, where an older one of the same key is published still', () => {
    using bench = new Bench();
    const same = { commonName: 'renewed', keyPair: root.keyPair };
    const [ending, renewed] = [TestCa.create({ ...same, notAfter: later(60_000) }), TestCa.create(same)];
    const ca = renewed.intermediate();
    bench.anchors.set(ending.bundle.union(renewed.bundle));
    bench.secrets.set(key, secret(ca)).sync();
    expect(bench.source.current.value?.notAfter).toEqual(ca.certificate.notAfter);
  });

  it('says nothing before everything has been seen, then that there is no Secret', () => {
    using bench = new Bench();
    expect(bench.source.problem.value).toBeUndefined();
    bench.secrets.sync();
    expect(bench.source.problem.value).toBe('expected the Secret kedge/kedge-issuer, found none');
    expect(bench.inUse).toBeUndefined();
    bench.secrets.set(key, secret(first));
    expect(bench.inUse).toBe(first.certificate.fingerprint);
  });

  it.each([
    ['a Secret that is empty yet', {}, 'warn'],
    ['one that is no good', { ...secret(first), 'tls.key': 'garbage' }, 'error'],
  ])('tells at a start of %s as something of level %3$s', (_, texts, level) => {
    using bench = new Bench();
    bench.secrets.set(key, texts).sync();
    expect(bench.log.records.map((record) => record.level)).toEqual([level]);
  });

  it.each<[string, (bench: Bench) => void, string]>([
    ['is deleted', (bench) => bench.secrets.delete(key), 'found none'],
    ['is emptied', (bench) => bench.secrets.set(key, {}), 'in the Secret kedge/kedge-issuer, got neither'],
    [
      'loses its key',
      ({ secrets }) => secrets.set(key, { 'tls.crt': second.certificate.pem }),
      'got no tls.key',
    ],
    [
      'has a certificate and a key that do not belong together',
      ({ secrets }) => secrets.set(key, { ...secret(first), 'tls.key': secret(second)['tls.key'] ?? '' }),
      'expected the private key of',
    ],
    [
      'is of other anchors',
      ({ secrets }) => secrets.set(key, secret(TestCa.create().intermediate())),
      'among the intermediates or the anchors',
    ],
    [
      'cannot sign for this mesh',
      ({ secrets }) => secrets.set(key, secret(root.intermediate({ permittedDns: ['other.example'] }))),
      'signed on trial',
    ],
    [
      'has both pairs of names',
      ({ secrets }) => secrets.set(key, { ...secret(first), ...secret(second, ['crt.pem', 'key.pem']) }),
      'got both',
    ],
  ])('goes on with the last good pair when the Secret %s, and recovers', async (_, spoil, message) => {
    using bench = new Bench();
    bench.secrets.set(key, secret(first)).sync();
    spoil(bench);
    await bench.clock.advance(60_000);
    expect(bench.inUse).toBe(first.certificate.fingerprint);
    expect(bench.source.problem.value).toContain(message);
    expect(bench.log.withMessage('issuer Secret refused, the last good pair stays in use')).toHaveLength(1);
    expect(await bench.metrics.text()).toContain('kedge_issuer_candidates_total{result="refused"} 1');
    bench.secrets.set(key, secret(second));
    expect(bench.inUse).toBe(second.certificate.fingerprint);
    expect(bench.source.problem.value).toBeUndefined();
  });

  it('looks again as time passes: what was too early begins to be valid', async () => {
    using bench = new Bench();
    const young = root.intermediate({ notBefore: later(3_600_000) });
    bench.secrets.set(key, secret(young)).sync();
    expect(bench.inUse).toBeUndefined();
    await bench.clock.advance(3_610_000);
    expect(bench.inUse).toBe(young.certificate.fingerprint);
  });

  it('says nothing of a key in what it tells', () => {
    using bench = new Bench();
    const { privateKey } = textsOf(first);
    bench.secrets
      .set(key, { ...secret(first), 'tls.key': privateKey.replace('-----END', '!!----END') })
      .sync();
    expect(bench.source.problem.value).toContain('PEM');
    for (const line of privateKey.split('\n').slice(1, -2)) expect(bench.log.text).not.toContain(line);
  });
});

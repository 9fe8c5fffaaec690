import { secrets } from '../../../src/kube/resources.ts';
import type { DataObject } from '../../../src/issuers/own-ca/settle-object.ts';
import { bootstrapCa } from '../../../src/issuers/own-ca/bootstrap-ca.ts';
import { anchorHolder, issuerHolder } from '../../../src/issuers/own-ca/ca-objects.ts';
import { IssuerRenewal } from '../../../src/issuers/own-ca/issuer-renewal.ts';
import { makeIssuer } from '../../../src/issuers/own-ca/make-issuer.ts';
import { issuerMetrics } from '../../../src/issuers/issuer-metrics.ts';
import { LocalIssuer } from '../../../src/issuers/local/local-issuer.ts';
import { caTextsOf, SecretSource, type CaTexts } from '../../../src/issuers/local/secret-source.ts';
import { caKeyPair } from '../../../src/pki/ca-key-pair.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { kubeErrors } from '../../../src/kube/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCollection } from '../../support/memory-collection.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { serverIdentity as identity, testDomain as mesh } from '../../support/rpc-server.ts';

const hour = 3_600_000;
const namespace = 'kedge';
const places = {
  namespace,
  issuer: 'kedge-issuer',
  anchor: 'kedge-trust-anchor',
  bundle: 'kedge-trust-bundle',
};
const key = 'kedge/kedge-issuer';

/** A cluster with an issuer of thirty hours, and replicas that follow its Secret. */
class Bench implements Disposable {
  readonly kube = new MemoryKube();
  readonly clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  readonly log = new LogCapture();
  readonly secrets = new MemoryCollection<CaTexts>();
  readonly anchors = new LatestValue<TrustBundle | undefined>(undefined);
  readonly replicas: IssuerRenewal[] = [];
  readonly issuers: LocalIssuer[] = [];
  readonly #ended = new AbortController();

  static async start({ replicas = 1, anchorHours = 87_600 } = {}): Promise<Bench> {
    const bench = new Bench();
    const { kube: client, clock, log } = bench;
    const lifetimes = { anchorLifetimeMs: anchorHours * hour, issuerLifetimeMs: 30 * hour };
    await bootstrapCa({ client, places, mesh, ...lifetimes, clock, log }, bench.#ended.signal);
    const anchor = anchorHolder(places).read(bench.object(places.anchor));
    if (anchor !== undefined) bench.anchors.set(TrustBundle.of([anchor.certificate]));
    bench.follow();
    for (let count = 0; count < replicas; count++) bench.start();
    return bench;
  }

  /** What an informer does. */
  follow(): void {
    const found = this.kube.object(secrets, { namespace, name: places.issuer });
    if (found === undefined) this.secrets.delete(key).sync();
    else this.secrets.set(key, caTextsOf(found)).sync();
  }

  object(name: string): DataObject {
    const found = this.kube.object(secrets, { namespace, name });
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** The fingerprint of the issuer in the Secret. */
  get kept(): string | undefined {
    return issuerHolder(places).read(this.object(places.issuer))?.certificate.fingerprint;
  }

  async hours(count: number): Promise<void> {
    for (let half = 0; half < 2 * count; half++) {
      await this.clock.advance(hour / 2);
      this.follow();
    }
  }

  /** Signatures of a CA are made beside the turns of the clock. */
  async renewedTimes(count: number): Promise<void> {
    await eventually(() => expect(this.renewed).toBe(count));
    this.follow();
  }

  get renewed(): number {
    return this.log.withMessage('issuer renewed').length;
  }

  get told(): unknown[] {
    return this.log.withMessage('issuer not renewed').map(({ fields }) => fields['reason']);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  /** One replica more. */
  start(): void {
    const { kube: client, clock, log, anchors } = this;
    const vetting = {
      anchors,
      identity,
      clock,
      log,
      intervalMs: hour,
      metrics: issuerMetrics(new Metrics()),
    };
    const source = new SecretSource({ ...vetting, secrets: this.secrets, key });
    source.start(this.#ended.signal);
    const issuer = new LocalIssuer(source, clock);
    const { state } = issuer;
    const options = { client, places, mesh, lifetimeMs: 30 * hour, state, anchors, identity, clock, log };
    const renewal = new IssuerRenewal(options);
    void renewal.run(this.#ended.signal);
    this.replicas.push(renewal);
    this.issuers.push(issuer);
  }
}

describe('IssuerRenewal', () => {
  it('renews the issuer at two thirds of its life, and again, so that it never ends', async () => {
    using bench = await Bench.start();
    const first = bench.kept;
    await bench.hours(19);
    expect(bench.kept).toBe(first);
    await bench.hours(2);
    await bench.renewedTimes(1);
    const second = bench.kept;
    expect(second).not.toBe(first);
    expect(bench.issuers[0]?.state.value).toMatchObject({ state: 'ready', fingerprint: second });
    // Past the end of the first one.
    await bench.hours(15);
    expect(bench.issuers[0]?.state.value).toMatchObject({ state: 'ready', fingerprint: second });
    await bench.hours(10);
    await bench.renewedTimes(2);
    expect(bench.replicas[0]?.problem.value).toBeUndefined();
    expect(bench.told).toEqual([]);
  });

  it('is done by one of two replicas, and both sign with the new issuer', async () => {
    using bench = await Bench.start({ replicas: 2 });
    await bench.hours(21);
    await bench.renewedTimes(1);
    await bench.hours(1);
    expect(bench.renewed).toBe(1);
    const states = bench.issuers.map(({ state }) => state.value);
    expect(states[0]).toMatchObject({ fingerprint: bench.kept });
    expect(states[0]).toEqual(states[1]);
    expect(bench.kube.writes.filter(({ verb }) => verb === 'replace').length).toBeLessThanOrEqual(2);
  });

  it('keeps what else the Secret holds, and its names', async () => {
    using bench = await Bench.start();
    const secret = bench.object(places.issuer);
    const { 'tls.crt': crt = '', 'tls.key': pem = '' } = secret.data ?? {};
    const metadata = { ...secret.metadata, namespace, labels: { team: 'a' } };
    bench.kube.put(secrets, { metadata, data: { 'crt.pem': crt, 'key.pem': pem, note: 'eA==' } });
    bench.follow();
    await bench.hours(21);
    await bench.renewedTimes(1);
    const { data, metadata: after } = bench.object(places.issuer);
    expect(Object.keys(data ?? {})).toEqual(['crt.pem', 'key.pem', 'note']);
    expect(data?.['crt.pem']).not.toBe(crt);
    expect(after.labels).toEqual({ team: 'a' });
  });

  it('names the date of the end, once, when the key of the anchor was taken away, and goes on when it is back', async () => {
    using bench = await Bench.start();
    const anchor = bench.object(places.anchor);
    const end = issuerHolder(places).read(bench.object(places.issuer))?.certificate.notAfter.toISOString();
    bench.kube.delete(secrets, { namespace, name: places.anchor });
    await bench.hours(19);
    expect(bench.told).toEqual([]);
    await bench.hours(5);
    const reason = `the issuer ends at ${end} and is not renewed: expected the anchor's key in the Secret kedge/kedge-trust-anchor, found none; make a new issuer with it`;
    expect(bench.told).toEqual([reason]);
    expect(bench.replicas[0]?.problem.value).toBe(reason);
    bench.kube.put(secrets, { ...anchor, metadata: { namespace, name: places.anchor } });
    await bench.hours(1);
    await bench.renewedTimes(1);
    await bench.hours(1);
    expect(bench.replicas[0]?.problem.value).toBeUndefined();
  });

  it('makes another issuer of the same anchor when the Secret was emptied, by one of two replicas', async () => {
    using bench = await Bench.start({ replicas: 2 });
    const before = bench.kept;
    const metadata = { ...bench.object(places.issuer).metadata, namespace };
    bench.kube.put(secrets, { metadata, data: null });
    bench.follow();
    expect(bench.issuers[0]?.state.value).toMatchObject({ state: 'ready', fingerprint: before });
    await bench.hours(1);
    await eventually(() => expect(bench.log.withMessage('issuer made anew')).toHaveLength(1));
    bench.follow();
    const after = issuerHolder(places).read(bench.object(places.issuer));
    expect(after?.certificate.fingerprint).not.toBe(before);
    for (const { state } of bench.issuers) expect(state.value).toMatchObject({ fingerprint: bench.kept });
    await bench.hours(1);
    expect(bench.log.withMessage('issuer made anew')).toHaveLength(1);
    expect(bench.told).toEqual([]);
  });

  it.each<[string, (bench: Bench) => void, string]>([
    [
      'whose anchor has no key in the cluster',
      (bench) => {
        bench.kube.delete(secrets, { namespace, name: places.anchor });
      },
      "the Secret of the issuer is empty and no other issuer is made: expected the anchor's key in the Secret kedge/kedge-trust-anchor, found none; make a new issuer with it",
    ],
    [
      'beside content that is no issuer',
      (bench) => {
        const metadata = { ...bench.object(places.issuer).metadata, namespace };
        bench.kube.put(secrets, { metadata, data: { 'crt.pem': 'eA==' } });
      },
      'the Secret kedge/kedge-issuer: expected tls.crt and tls.key, or crt.pem and key.pem, in the Secret kedge/kedge-issuer, got no key.pem',
    ],
  ])('makes none for a Secret that was emptied %s, and says so once', async (_, change, reason) => {
    using bench = await Bench.start();
    const metadata = { ...bench.object(places.issuer).metadata, namespace };
    bench.kube.put(secrets, { metadata, data: {} });
    change(bench);
    bench.follow();
    await bench.hours(2);
    await eventually(() => expect(bench.told).toEqual([reason]));
    expect(bench.log.withMessage('issuer made anew')).toEqual([]);
    expect(bench.issuers[0]?.state.value.state).toBe('ready');
  });

  it('renews an issuer that ended while nobody was there', async () => {
    using bench = await Bench.start({ replicas: 0 });
    await bench.hours(40);
    const before = bench.kept;
    bench.start();
    await bench.hours(1);
    await bench.renewedTimes(1);
    expect(bench.kept).not.toBe(before);
    expect(bench.issuers[0]?.state.value.state).toBe('ready');
  });

  it('does not renew what its anchor would not outlive, and says so', async () => {
    using bench = await Bench.start({ anchorHours: 20 });
    await bench.hours(16);
    await eventually(() => expect(bench.told).toHaveLength(1));
    expect(bench.renewed).toBe(0);
    expect(bench.told[0]).toContain('and no issuer outlives it; replace the anchor');
  });

  it('leaves a Secret alone that cert-manager keeps', async () => {
    using bench = await Bench.start();
    const secret = bench.object(places.issuer);
    const annotations = { 'cert-manager.io/certificate-name': 'kedge-issuer' };
    const metadata = { ...secret.metadata, annotations };
    bench.kube.put(secrets, { ...secret, metadata });
    await bench.hours(25);
    expect(bench.renewed).toBe(0);
  });

  it('does not renew under an anchor that is not published', async () => {
    using bench = await Bench.start();
    const other = await Bench.start();
    other[Symbol.dispose]();
    const foreign = other.object(places.anchor);
    bench.kube.put(secrets, { ...foreign, metadata: { namespace, name: places.anchor } });
    await bench.hours(21);
    expect(bench.told[0]).toContain('to be published, found it is not');
    expect(bench.renewed).toBe(0);
  });

  it('leaves an issuer alone that an operator has made under another anchor, and says so', async () => {
    using bench = await Bench.start();
    using other = await Bench.start();
    const [ours, theirs] = [bench.anchors.value?.anchors ?? [], other.anchors.value?.anchors ?? []];
    bench.anchors.set(TrustBundle.of([...ours, ...theirs]));
    bench.kube.put(secrets, { ...other.object(places.issuer), metadata: { namespace, name: places.issuer } });
    bench.follow();
    const before = bench.kept;
    await bench.hours(21);
    expect(bench.kept).toBe(before);
    expect(bench.told).toHaveLength(1);
    expect(bench.told[0]).toContain('expected it to be of the anchor in the Secret kedge/kedge-trust-anchor');
  });

  it('replaces an issuer from the future, of a replica whose clock ran ahead, when the one in use is due', async () => {
    using bench = await Bench.start();
    const anchor = anchorHolder(places).read(bench.object(places.anchor));
    if (anchor?.key === undefined) throw new Error('expected the anchor with its key');
    const ahead = await makeIssuer({
      anchor: caKeyPair([anchor.certificate], anchor.key),
      mesh,
      lifetimeMs: 30 * hour,
      now: new Date(bench.clock.now().getTime() + 100 * hour),
    });
    const metadata = { namespace, name: places.issuer };
    bench.kube.put(secrets, { metadata, data: issuerHolder(places).write(ahead) });
    bench.follow();
    await bench.hours(21);
    await bench.renewedTimes(1);
    await bench.hours(14);
    expect(bench.issuers[0]?.state.value).toMatchObject({ state: 'ready', fingerprint: bench.kept });
  });

  it('tries again when the API server was away', async () => {
    using bench = await Bench.start();
    bench.kube.before = () => {
      throw kubeErrors.error('kube_unreachable', 'away');
    };
    await bench.hours(21);
    expect(bench.told).toEqual(['away']);
    bench.kube.before = () => undefined;
    await bench.hours(1);
    await bench.renewedTimes(1);
    await bench.hours(1);
    expect(bench.log.text).not.toContain('PRIVATE KEY');
  });
});

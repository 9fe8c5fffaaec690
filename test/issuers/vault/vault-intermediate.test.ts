import { issuerMetrics } from '../../../src/issuers/issuer-metrics.ts';
import { vaultErrors } from '../../../src/issuers/vault/errors.ts';
import { VaultIntermediate } from '../../../src/issuers/vault/vault-intermediate.ts';
import { Csr } from '../../../src/pki/csr.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { serverIdentity } from '../../support/rpc-server.ts';
import { TestCa, type TestCaOptions } from '../../support/test-ca.ts';
import { now } from '../support/issue-request.ts';

const minute = 60_000;

/** An intermediate whose server is a function. */
class IntermediateRig {
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly ended = new AbortController();
  readonly root: TestCa;
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly source: VaultIntermediate;
  /** What was asked for, in order. */
  readonly asked: Record<string, unknown>[] = [];
  ca: TestCa;
  options: TestCaOptions = {};
  failure: Error | undefined;

  constructor() {
    this.root = TestCa.create({ notAfter: new Date(now.getTime() + 100_000 * minute) });
    this.ca = this.root;
    this.anchors = new LatestValue<TrustBundle | undefined>(this.root.bundle);
    this.source = new VaultIntermediate({
      client: { write: (path, body) => this.#sign(path, body as Record<string, unknown>) },
      session: { call: (run) => run('token') },
      paths: { signIntermediate: 'pki/root/sign-intermediate' },
      lifetimeMs: 100 * minute,
      anchors: this.anchors,
      identity: serverIdentity,
      clock: this.clock,
      log: this.log,
      metrics: issuerMetrics(new Metrics()),
      intervalMs: minute,
      random: () => 0,
    });
  }

  async start(): Promise<void> {
    this.source.start(this.ended.signal);
    await this.clock.advance(0);
  }

  get fingerprint(): string | undefined {
    return this.source.current.value?.pair.certificate.fingerprint;
  }

  async #sign(path: string, body: Record<string, unknown>): Promise<unknown> {
    this.asked.push(body);
    if (this.failure !== undefined) throw this.failure;
    expect(path).toBe('pki/root/sign-intermediate');
    const [block] = parsePem(String(body['csr']));
    const publicKey = Csr.parse(block?.der ?? Buffer.alloc(0)).publicKey.keyObject;
    const at = this.clock.now().getTime();
    const signed = this.ca.intermediate({
      pathLength: 0,
      permittedDns: ['cluster.local'],
      notBefore: new Date(at),
      notAfter: new Date(at + 100 * minute),
      // Only the public half is ever sent.
      keyPair: { publicKey, privateKey: this.ca.key },
      ...this.options,
    });
    return {
      data: {
        certificate: signed.certificate.pem,
        ca_chain: [signed.certificate.pem, this.ca.certificate.pem],
      },
    };
  }
}

const away = vaultErrors.error('vault_unreachable', 'ECONNREFUSED');

describe('VaultIntermediate', () => {
  it('asks for a CA with no CA below it, for DNS names of the trust domain, by key alone', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    expect(rig.source.problem.value).toBeUndefined();
    const [{ csr, ...asked } = {}] = rig.asked;
    expect(asked).toEqual({
      use_csr_values: false,
      common_name: 'identity.cluster.local',
      exclude_cn_from_sans: true,
      alt_names: 'serviceaccount.identity.kedge.cluster.local',
      max_path_length: '0',
      permitted_dns_domains: 'cluster.local',
      ttl: '6000s',
      format: 'pem',
    });
    expect(csr).toContain('BEGIN CERTIFICATE REQUEST');
    rig.ended.abort();
  });

  it('is replaced at half of its life, with another key', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    const first = rig.source.current.value?.pair;
    await rig.clock.advance(49 * minute);
    expect(rig.asked).toHaveLength(1);
    await rig.clock.advance(minute + 60_000);
    expect(rig.asked).toHaveLength(2);
    const second = rig.source.current.value?.pair;
    expect(second?.certificate.publicKey.equals(first!.certificate.publicKey)).toBe(false);
    rig.ended.abort();
  });

  it('is not asked for again and again where half of its life is over when it comes', async () => {
    const rig = new IntermediateRig();
    const at = now.getTime();
    // As Vault dates back, below a CA that is about to end and that it may cut to.
    rig.options = { notBefore: new Date(at - 30_000), notAfter: new Date(at + 20_000) };
    await rig.start();
    await rig.clock.advance(10_000);
    expect(rig.asked.length).toBeGreaterThan(1);
    expect(rig.asked.length).toBeLessThan(10);
    rig.ended.abort();
  });

  it('stays in use while Vault is away, says so, and is replaced once it is back', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    const first = rig.fingerprint;
    rig.failure = away;
    await rig.clock.advance(60 * minute);
    expect(rig.fingerprint).toBe(first);
    expect(rig.source.problem.value).toBe('ECONNREFUSED');
    expect(rig.log.withMessage('Vault gave no intermediate')).toMatchObject([
      { level: 'error', fields: { reason: 'ECONNREFUSED', code: 'vault_unreachable' } },
    ]);
    // Some minutes of trying with growing pauses, of a minute in the end.
    expect(rig.asked.length).toBeLessThan(25);
    rig.failure = undefined;
    await rig.clock.advance(75_000);
    expect(rig.fingerprint).not.toBe(first);
    expect(rig.source.problem.value).toBeUndefined();
    rig.ended.abort();
  });

  it('is gone when it has ended and Vault is still away', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    rig.failure = away;
    await rig.clock.advance(101 * minute);
    expect(rig.source.current.value).toBeUndefined();
    rig.ended.abort();
  });

  it('keeps the last good one when the next does not stand up to the trial', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    const first = rig.fingerprint;
    rig.options = { permittedDns: ['example.org'] };
    await rig.clock.advance(51 * minute);
    expect(rig.fingerprint).toBe(first);
    expect(rig.source.problem.value).toContain('signed on trial, to verify');
    rig.options = {};
    await rig.clock.advance(360_000);
    expect(rig.fingerprint).not.toBe(first);
    expect(rig.source.problem.value).toBeUndefined();
    rig.ended.abort();
  });

  it('takes none with a URI constraint, with another key, or of another root', async () => {
    const rig = new IntermediateRig();
    rig.options = { permittedUri: ['cluster.local'] };
    await rig.start();
    expect(rig.source.problem.value).toContain('URI');
    rig.options = { keyPair: TestCa.create().keyPair };
    await rig.clock.advance(3_000);
    expect(rig.source.problem.value).toContain('expected the private key of');
    rig.options = {};
    rig.ca = TestCa.create();
    await rig.clock.advance(10_000);
    expect(rig.source.problem.value).toContain('among the intermediates or the anchors');
    expect(rig.source.current.value).toBeUndefined();
    rig.ca = rig.root;
    await rig.clock.advance(60_000);
    expect(rig.source.current.value).toBeDefined();
    rig.ended.abort();
  });

  it('asks again at once when the anchors change and it no longer leads to one', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    const next = TestCa.create({ notAfter: new Date(now.getTime() + 100_000 * minute) });
    rig.ca = next;
    rig.anchors.set(next.bundle);
    await rig.clock.advance(0);
    expect(rig.source.current.value?.pair.certificate.issuerDer).toEqual(next.certificate.subjectDer);
    rig.ended.abort();
  });

  it('is not replaced early or late by a step of the clock', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    rig.clock.set(new Date(now.getTime() + 30 * minute));
    await rig.clock.advance(60_000);
    expect(rig.asked).toHaveLength(1);
    rig.clock.set(new Date(now.getTime() + 51 * minute));
    await rig.clock.advance(60_000);
    expect(rig.asked).toHaveLength(2);
    rig.ended.abort();
  });

  it('tells nothing of its key', async () => {
    const rig = new IntermediateRig();
    await rig.start();
    const key =
      rig.source.current.value?.pair.key.export({ type: 'pkcs8', format: 'der' }).toString('base64') ?? '';
    expect(key.length).toBeGreaterThan(100);
    expect(JSON.stringify(rig.asked)).not.toContain(key.slice(40, 80));
    expect(rig.log.text).not.toContain('PRIVATE KEY');
    expect(rig.log.text).not.toContain('CERTIFICATE REQUEST');
    rig.ended.abort();
  });
});

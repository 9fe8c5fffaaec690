import { ServingCredentials } from '../../src/identity/serving-credentials.ts';
import type { Issuer, IssuerState } from '../../src/issuers/issuer.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import { keyMatches } from '../../src/pki/keys.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { serverIdentity } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import { CertifyBench, hour } from './support/certify-bench.ts';

class Bench extends CertifyBench implements AsyncDisposable {
  readonly serving: ServingCredentials;
  /** Whether the issuer fails without telling of it. */
  failing = false;
  /** What the issuer signs with, once it is known. */
  readonly made = this.current.value;
  /** What the issuer says of itself. */
  readonly state = new LatestValue(this.issuer.state.value);
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(known = true) {
    super();
    this.issuer.state.subscribe((state) => this.state.set(state));
    if (!known) this.current.set(undefined);
    this.serving = new ServingCredentials({
      identity: serverIdentity,
      issuer: { state: this.state, issue: (...asked) => this.#issue(...asked) },
      anchors: this.anchors,
      limits: { lifetimeMs: 24 * hour, skewMs: 20_000 },
      clock: this.clock,
      log: this.log,
      random: () => 0,
    });
    this.#running = this.serving.run(this.#ended.signal);
  }

  #issue(...asked: Parameters<Issuer['issue']>): ReturnType<Issuer['issue']> {
    return this.failing ? Promise.reject(new Error('the CA is away')) : this.issuer.issue(...asked);
  }

  get serial(): string | undefined {
    return this.serving.current.value?.leaf.serial;
  }

  /** The serial number of a certificate other than this. */
  async renewed(before: string | undefined): Promise<string | undefined> {
    await eventually(() => expect(this.serial).not.toBe(before));
    return this.serial;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }
}

describe('ServingCredentials', () => {
  it('has a certificate for the service’s own name, with everything a server needs', async () => {
    await using bench = new Bench();
    await bench.renewed(undefined);
    const { identity, leaf, chain, key, bundle } = bench.serving.current.value!;
    expect(identity).toBe(serverIdentity);
    expect(leaf.sans.dns).toEqual([serverIdentity.dnsName]);
    expect(chain).toEqual([leaf, bench.ca.certificate]);
    expect(keyMatches(leaf, key)).toBe(true);
    expect(() =>
      verifyChain({ leaf, intermediates: chain.slice(1), bundle, at: bench.clock.now(), usage: 'server' }),
    ).not.toThrow();
  });

  it('renews at 70 % of the lifetime, with a new key', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    const key = bench.serving.current.value?.leaf.publicKey;
    await bench.clock.advance(0.69 * 24 * hour);
    expect(bench.serial).toBe(first);
    await bench.clock.advance(0.02 * 24 * hour);
    await bench.renewed(first);
    expect(bench.serving.current.value?.leaf.publicKey.equals(key!)).toBe(false);
  });

  it('keeps the last certificate while the issuer cannot sign, says until when it is good, and recovers', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    const ca = bench.current.value;
    bench.problem.set('the files are gone');
    bench.current.set(undefined);
    await eventually(() => expect(bench.serving.problem.value).toContain('the files are gone'));
    expect(bench.serial).toBe(first);
    expect(bench.log.withMessage('own certificate not renewed').at(-1)?.fields).toMatchObject({
      goodUntil: bench.serving.current.value?.leaf.notAfter.toISOString(),
    });
    bench.current.set(ca);
    await bench.renewed(first);
    expect(bench.serving.problem.value).toBeUndefined();
  });

  it('only mentions that it waits for its first one while there is no issuer', async () => {
    await using bench = new Bench(false);
    await eventually(() => expect(bench.serving.problem.value).toContain('can sign'));
    expect(bench.log.records.map(({ level }) => level)).toEqual(['info']);
    bench.current.set(bench.made);
    await bench.renewed(undefined);
  });

  it('tries again by itself', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    bench.failing = true;
    await bench.clock.advance(0.75 * 24 * hour);
    await eventually(() => expect(bench.serving.problem.value).toBe('the CA is away'));
    bench.failing = false;
    await bench.clock.advance(60_000);
    await bench.renewed(first);
  });

  it('is replaced when the clock, which was ahead, is set right and the certificate is none yet', async () => {
    await using bench = new Bench();
    const atStart = await bench.renewed(undefined);
    const right = bench.clock.now();
    bench.clock.set(new Date(right.getTime() + 20 * hour));
    await bench.clock.advance(60_000);
    const first = await bench.renewed(atStart);
    bench.clock.set(right);
    await bench.clock.advance(60_000);
    await bench.renewed(first);
    expect(bench.serving.current.value!.leaf.notBefore <= bench.clock.now()).toBe(true);
  });

  it('is signed by a new issuer as soon as there is one', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    const next = bench.root.intermediate();
    const { notBefore, notAfter } = next.certificate;
    bench.current.set({ pair: next, notBefore, notAfter });
    await bench.renewed(first);
    expect(bench.serving.current.value?.chain[1]).toBe(next.certificate);
  });

  it('is not signed anew because another stands in for a CA that is away, nor when that is back', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    const ready = bench.state.value;
    const outage = { since: bench.clock.now(), reason: 'got 503', standIn: 'local' };
    bench.state.set({ ...ready, fingerprint: 'of the other', outage } as IssuerState);
    await bench.clock.advance(1_000);
    bench.state.set(ready);
    await bench.clock.advance(1_000);
    expect(bench.serial).toBe(first);
    bench.state.set({ ...ready, fingerprint: 'of a new one' } as IssuerState);
    await bench.renewed(first);
  });

  it('is not signed anew because of a problem that the issuer can live with', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    for (const problem of ['a bad candidate', 'another', undefined]) bench.problem.set(problem);
    await bench.clock.advance(60_000);
    expect(bench.serial).toBe(first);
  });

  it('trusts new anchors at once', async () => {
    await using bench = new Bench();
    await bench.renewed(undefined);
    const both = bench.root.bundle.union(TestCa.create().bundle);
    bench.anchors.set(both);
    await eventually(() => expect(bench.serving.current.value?.bundle).toBe(both));
  });

  it('trusts removed anchors no longer, even when its own certificate cannot be renewed', async () => {
    await using bench = new Bench();
    const first = await bench.renewed(undefined);
    const other = TestCa.create().bundle;
    bench.anchors.set(other);
    await eventually(() => expect(bench.serving.current.value?.bundle).toBe(other));
    expect(bench.serial).toBe(first);
  });

  it('has none while there are no anchors', async () => {
    await using bench = new Bench();
    bench.anchors.set(undefined);
    bench.current.set(undefined);
    await eventually(() => expect(bench.serving.problem.value).toBeDefined());
    expect(bench.log.text).not.toContain('PRIVATE');
  });
});

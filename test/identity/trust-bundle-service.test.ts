import { BundleCensus } from '../../src/identity/bundle-census.ts';
import { trustBundleService } from '../../src/identity/trust-bundle-service.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { trustApiClient, type PublishedBundle, type TrustReport } from '../../src/rpc/trust-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { refusalOf } from '../support/refusal.ts';
import {
  clientCredentials,
  startServer,
  testDomain,
  type TestChannelOptions,
} from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

const ca = TestCa.create();
const nothing: TrustReport = { sha256InUse: '', leafAnchorSha256: '', refusal: '' };

/** A served trust-bundle stream over real TLS. */
class Bench implements AsyncDisposable {
  readonly anchors = new LatestValue<TrustBundle | undefined>(ca.bundle);
  readonly metrics = new Metrics();
  readonly log = new LogCapture();
  readonly ended = new AbortController();
  readonly #server: Promise<TestServer>;

  constructor() {
    const { anchors, log } = this;
    const census = new BundleCensus(this.metrics);
    this.#server = startServer([trustBundleService({ anchors, census, domain: testDomain, log })], { ca });
  }

  /** Opens a stream as one workload; what came over it is in `received`, what is set in `report` is sent. */
  async follow(options: TestChannelOptions = { credentials: clientCredentials(ca) }): Promise<Follower> {
    const client = trustApiClient((await this.#server).connect(options));
    const report = new LatestValue(nothing);
    const received: PublishedBundle[] = [];
    const [left, silent] = [new AbortController(), new AbortController()];
    const signal = AbortSignal.any([this.ended.signal, left.signal]);
    const reports = report.changes(AbortSignal.any([signal, silent.signal]));
    const read = async (): Promise<void> => {
      for await (const bundle of client.watch(reports, signal)) received.push(bundle);
    };
    const done = read();
    done.catch(() => undefined);
    return { report, received, done, leave: () => left.abort(), lastWord: () => silent.abort() };
  }

  async shows(line: string): Promise<void> {
    await eventually(async () => expect(await this.metrics.text()).toContain(`${line}\n`));
  }

  /** Stops the server as a signal does, with no deadline at all. */
  async drain(): Promise<void> {
    await (await this.#server).close(new AbortController().signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort();
    await (await this.#server)[Symbol.asyncDispose]();
  }
}

interface Follower {
  readonly report: LatestValue<TrustReport>;
  readonly received: PublishedBundle[];
  readonly done: Promise<void>;
  leave(): void;
  /** Ends what is sent, not what is read. */
  lastWord(): void;
}

describe('trustBundleService', () => {
  it('sends the present bundle at once, and each new one', async () => {
    await using bench = new Bench();
    const { received } = await bench.follow();
    await eventually(() => expect(received).toEqual([{ pem: ca.bundle.pem, sha256: ca.bundle.sha256 }]));
    const both = ca.bundle.union(TestCa.create().bundle);
    bench.anchors.set(both);
    await eventually(() => expect(received[1]?.sha256).toBe(both.sha256));
  });

  it('waits with the first bundle until there is one', async () => {
    await using bench = new Bench();
    bench.anchors.set(undefined);
    const { received } = await bench.follow();
    await bench.shows('kedge_trust_bundle_streams{bundle="none"} 1');
    expect(received).toEqual([]);
    bench.anchors.set(ca.bundle);
    await eventually(() => expect(received).toHaveLength(1));
  });

  it('counts who uses which bundle and whose leaf chains to which anchor', async () => {
    await using bench = new Bench();
    const [one, other] = [await bench.follow(), await bench.follow()];
    await bench.shows('kedge_trust_bundle_streams{bundle="none"} 2');
    const { sha256 } = ca.bundle;
    one.report.set({ ...nothing, sha256InUse: sha256, leafAnchorSha256: ca.certificate.fingerprint });
    await bench.shows(`kedge_trust_bundle_streams{bundle="${sha256}"} 1`);
    await bench.shows(`kedge_trust_leaf_anchor_streams{anchor="${ca.certificate.fingerprint}"} 1`);
    other.report.set({ ...nothing, sha256InUse: sha256 });
    await bench.shows(`kedge_trust_bundle_streams{bundle="${sha256}"} 2`);

    const both = ca.bundle.union(TestCa.create().bundle);
    bench.anchors.set(both);
    other.report.set({ ...nothing, sha256InUse: both.sha256 });
    await bench.shows(`kedge_trust_bundle_streams{bundle="${both.sha256}"} 1`);
    await bench.shows(`kedge_trust_bundle_streams{bundle="${sha256}"} 1`);
    one.leave();
    await eventually(async () => expect(await bench.metrics.text()).not.toContain(`{bundle="${sha256}"}`));
  });

  it('makes no label of a hash that it never published', async () => {
    await using bench = new Bench();
    const { report } = await bench.follow();
    report.set({ ...nothing, sha256InUse: 'made-up', leafAnchorSha256: 'made-up-too' });
    await bench.shows('kedge_trust_bundle_streams{bundle="unknown"} 1');
    expect(await bench.metrics.text()).not.toContain('made-up');
  });

  it('tells which workload did not take a bundle, and why', async () => {
    await using bench = new Bench();
    const { report } = await bench.follow();
    report.set({ ...nothing, refusal: 'cannot\nread it' });
    await eventually(() =>
      expect(bench.log.withMessage('a workload did not take the trust bundle')[0]?.fields).toMatchObject({
        workload: 'web.shop.serviceaccount.identity.kedge.cluster.local',
        refusal: '"cannot\\nread it"',
      }),
    );
  });

  it('ends with the server, however long the workload has nothing to say', async () => {
    await using bench = new Bench();
    const { done, received } = await bench.follow();
    await eventually(() => expect(received).toHaveLength(1));
    const drained = bench.drain();
    expect(await refusalOf(done)).toContain('rpc_unavailable: this server is stopping');
    await drained;
  });

  it('goes on when the workload has said its last word', async () => {
    await using bench = new Bench();
    const follower = await bench.follow();
    follower.report.set({ ...nothing, sha256InUse: ca.bundle.sha256 });
    await bench.shows(`kedge_trust_bundle_streams{bundle="${ca.bundle.sha256}"} 1`);
    follower.lastWord();
    bench.anchors.set(ca.bundle.union(TestCa.create().bundle));
    await eventually(() => expect(follower.received).toHaveLength(2));
  });

  it('refuses a caller without a certificate', async () => {
    await using bench = new Bench();
    const { done } = await bench.follow({});
    expect(await refusalOf(done)).toContain('rpc_unauthenticated: expected a workload certificate, got none');
  });

  it('refuses a caller whose certificate is not of this mesh', async () => {
    await using bench = new Bench();
    const leaf = ca.leaf({ dnsName: 'web.shop.serviceaccount.identity.other.cluster.local' });
    const credentials = new LatestValue<Credentials | undefined>(leaf.credentials());
    const { done } = await bench.follow({ credentials });
    expect(await refusalOf(done)).toContain(
      'rpc_permission_denied: expected a certificate of this mesh, got one for "web.shop.',
    );
    expect(await bench.metrics.text()).not.toContain('kedge_trust_bundle_streams{');
  });
});

describe('BundleCensus', () => {
  it('remembers only so many hashes, the newest ones', async () => {
    const metrics = new Metrics();
    const census = new BundleCensus(metrics);
    const bundles = Array.from({ length: 20 }, () => TestCa.create().bundle);
    for (const bundle of bundles) census.publish(bundle);
    const [first, last] = [bundles[0]!, bundles.at(-1)!];
    for (const { sha256 } of [first, last]) census.enter().report({ bundle: sha256, leafAnchor: '' });
    const text = await metrics.text();
    expect(text).toContain('kedge_trust_bundle_streams{bundle="unknown"} 1');
    expect(text).toContain(`kedge_trust_bundle_streams{bundle="${last.sha256}"} 1`);
  });
});

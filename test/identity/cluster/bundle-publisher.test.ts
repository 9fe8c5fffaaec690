import { BundlePublisher, type NamespaceState } from '../../../src/identity/cluster/bundle-publisher.ts';
import { publisherMetrics } from '../../../src/identity/cluster/publisher-metrics.ts';
import { kubeErrors } from '../../../src/kube/errors.ts';
import { configMaps } from '../../../src/kube/resources.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCollection } from '../../support/memory-collection.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { TestCa } from '../../support/test-ca.ts';

const source = { namespace: 'kedge', name: 'kedge-trust-bundle', key: 'ca-bundle.crt' };
const { name } = source;
const first = TestCa.create().bundle;
const second = TestCa.create().bundle;

/** A cluster whose copies are known as soon as they are written. */
class Bench implements Disposable {
  readonly kube = new MemoryKube();
  readonly namespaces = new MemoryCollection<NamespaceState>();
  readonly copies = new MemoryCollection<string>();
  readonly anchors = new LatestValue<TrustBundle | undefined>(undefined);
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly publisher: BundlePublisher;
  readonly #ended = new AbortController();
  readonly #source: typeof source;

  constructor(bundle = first, from = source) {
    this.#source = from;
    const { kube: client, namespaces, copies, anchors, clock, log } = this;
    const metrics = publisherMetrics(new Metrics());
    const options = { client, namespaces, copies, name, anchors, source: from, clock, log, metrics };
    this.publisher = new BundlePublisher(options);
    this.kube.after = ({ verb, place, object }) => {
      if (verb !== 'apply') return;
      const { data } = object as { data: Record<string, string> };
      this.copies.set(`${place.namespace ?? ''}/${place.name ?? ''}`, data['ca-bundle.crt'] ?? '');
    };
    this.publish(bundle);
    this.namespaces.set('kedge', { ending: false });
    void this.publisher.run(this.#ended.signal);
  }

  /** As somebody changes the source, and this replica reads it. */
  publish(bundle: TrustBundle): void {
    this.put(bundle.pem);
    this.anchors.set(bundle);
  }

  put(text: string): void {
    const { key, ...metadata } = this.#source;
    this.kube.put(configMaps, { metadata, data: { [key]: text } });
  }

  async add(...names: readonly string[]): Promise<void> {
    this.namespaces.apply(names.map((name) => [name, { ending: false }]));
    await this.settle();
  }

  async sync(): Promise<void> {
    this.namespaces.sync();
    this.copies.sync();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.clock.advance(0);
  }

  /** Where it wrote, in order. */
  get written(): (string | undefined)[] {
    return this.kube.writes.map(({ place }) => place.namespace);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}

describe('BundlePublisher of the anchors of somebody else', () => {
  it('writes a copy also beside the source, and never the source', async () => {
    const others = { namespace: 'trust', name: 'mesh-anchors', key: 'ca.pem' };
    using bench = new Bench(first, others);
    await bench.sync();
    await bench.add('trust', 'shop');
    expect(bench.written).toEqual(['kedge', 'trust', 'shop']);
    expect(bench.kube.writes.map(({ place }) => place.name)).toEqual([name, name, name]);
    // One that has another bundle in mind than the source holds writes nothing.
    bench.anchors.set(second);
    await bench.settle();
    expect(bench.written).toHaveLength(3);
    bench.publish(second);
    await bench.clock.advance(120_000);
    expect(bench.written.slice(3).toSorted()).toEqual(['kedge', 'shop', 'trust']);
  });
});

describe('BundlePublisher', () => {
  it('writes nothing before everything has been seen, then where a copy is missing, and not where the source is', async () => {
    using bench = new Bench();
    bench.copies.set('a/kedge-trust-bundle', first.pem);
    await bench.add('a', 'b');
    expect(bench.kube.calls).toEqual([]);
    await bench.sync();
    expect(bench.written).toEqual(['b']);
    expect(bench.kube.writes[0]).toMatchObject({
      verb: 'apply',
      object: { data: { 'ca-bundle.crt': first.pem } },
    });
  });

  it('writes to a new namespace at once, and mends what was changed or deleted', async () => {
    using bench = new Bench();
    await bench.sync();
    await bench.add('a');
    bench.copies.set('a/kedge-trust-bundle', 'changed');
    await bench.settle();
    bench.copies.delete('a/kedge-trust-bundle');
    await bench.settle();
    expect(bench.written).toEqual(['a', 'a', 'a']);
  });

  it('leaves namespaces alone that end', async () => {
    using bench = new Bench();
    bench.namespaces.set('a', { ending: true });
    await bench.sync();
    await bench.add('b');
    bench.namespaces.set('b', { ending: true });
    bench.copies.delete('b/kedge-trust-bundle');
    await bench.settle();
    expect(bench.written).toEqual(['b']);
  });

  it('copies a new bundle everywhere, at a bounded rate', async () => {
    using bench = new Bench();
    await bench.sync();
    await bench.add(...Array.from({ length: 100 }, (_, at) => `n${at}`));
    await bench.clock.advance(10_000);
    expect(bench.written).toHaveLength(100);
    bench.publish(second);
    await bench.clock.advance(0);
    await bench.add(...Array.from({ length: 200 }, (_, at) => `m${at}`));
    expect(bench.written.length).toBeLessThanOrEqual(201);
    await bench.clock.advance(1_000);
    expect(bench.written.length).toBeLessThanOrEqual(252);
    await bench.clock.advance(10_000);
    expect(bench.written).toHaveLength(400);
    expect(new Set([...bench.copies.entries()].map(([, text]) => text))).toEqual(new Set([second.pem]));
  });

  it('does not bring back an old bundle where another replica has published a newer one', async () => {
    using bench = new Bench();
    await bench.sync();
    await bench.add('a');
    bench.put(second.pem);
    bench.copies.set('a/kedge-trust-bundle', second.pem);
    await bench.clock.advance(5_000);
    expect(bench.written).toEqual(['a']);
    expect(bench.publisher.problem.value).toBe('expected the bundle that is published, got an older one');
    bench.publish(second);
    await bench.clock.advance(60_000);
    expect(bench.written).toEqual(['a']);
    expect(bench.publisher.problem.value).toBeUndefined();
  });

  it('keeps the copies of the last good bundle when the source is garbage or gone', async () => {
    using bench = new Bench();
    await bench.sync();
    bench.put('garbage');
    await bench.add('a');
    bench.kube.delete(configMaps, source);
    await bench.add('b');
    expect(bench.written).toEqual(['a', 'b']);
  });

  it('comes back to a namespace that could not be written, and holds up no other', async () => {
    using bench = new Bench();
    await bench.sync();
    let refused = 0;
    bench.kube.before = ({ place }) => {
      if (place.namespace !== 'a') return;
      refused += 1;
      throw kubeErrors.error('kube_invalid', 'a webhook says no');
    };
    await bench.add('a');
    await bench.add('b');
    expect(bench.copies.get('b/kedge-trust-bundle')).toBe(first.pem);
    expect(bench.publisher.problem.value).toBe('a webhook says no');
    await bench.clock.advance(120_000);
    expect(refused).toBeGreaterThan(3);
    expect(refused).toBeLessThan(12);
    expect(bench.log.withMessage('trust bundle not published')).toHaveLength(1);
    bench.kube.before = () => undefined;
    await bench.clock.advance(120_000);
    expect(bench.copies.get('a/kedge-trust-bundle')).toBe(first.pem);
    expect(bench.publisher.problem.value).toBeUndefined();
  });

  it.each([
    ['kube_not_found', 'namespaces "a" not found'],
    ['kube_forbidden', 'unable to create new content in namespace a because it is being terminated'],
  ] as const)('does not come back to a namespace that turns out to end (%s)', async (code, message) => {
    using bench = new Bench();
    await bench.sync();
    bench.kube.before = ({ verb }) => {
      if (verb === 'apply') throw kubeErrors.error(code, message);
    };
    await bench.add('a');
    await bench.clock.advance(600_000);
    expect(bench.written).toEqual(['a']);
    expect(bench.publisher.problem.value).toBeUndefined();
  });

  it('waits while the API server is away, and forgets nothing', async () => {
    using bench = new Bench();
    await bench.sync();
    bench.kube.before = () => {
      throw kubeErrors.error('kube_unreachable', 'away');
    };
    await bench.add('a');
    await bench.add('b');
    bench.kube.before = () => undefined;
    await bench.clock.advance(120_000);
    expect(bench.written).toEqual(expect.arrayContaining(['a', 'b']));
    expect(bench.publisher.problem.value).toBeUndefined();
  });
});

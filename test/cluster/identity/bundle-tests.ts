import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { eventually } from '../../support/eventually.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { RunningIdentity } from './running-identity.ts';

const name = 'kedge-trust-bundle';
const many = Array.from({ length: 300 }, (_, at) => `many-${at}`);

interface Copies {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string };
    readonly data?: Readonly<Record<string, string>>;
  }[];
}

/** The trust anchors in every namespace. */
export function bundleTests(identity: RunningIdentity): void {
  const { cluster } = identity;

  const publish = (bundle: TrustBundle): Promise<string> => {
    const patch = JSON.stringify({ data: { 'ca-bundle.crt': bundle.pem } });
    return identity.kubectl(['patch', 'configmap', name, `--patch=${patch}`]);
  };
  /** The namespaces whose copy is this one. */
  const holders = async (pem: string): Promise<Set<string>> => {
    const path = `/api/v1/configmaps?fieldSelector=metadata.name=${name}`;
    const { items } = await cluster.expect<Copies>(path);
    const same = items.filter(({ data }) => data?.['ca-bundle.crt'] === pem);
    return new Set(same.map(({ metadata }) => metadata.namespace));
  };
  const writes = (): number[] =>
    identity
      .requests('configmaps', ['patch'])
      .filter(({ objectRef }) => objectRef?.namespace?.startsWith('many-'))
      .map(({ stageTimestamp }) => Date.parse(stageTimestamp));

  it('are published to namespaces as they come, and mended when changed or deleted by hand', async () => {
    await cluster.createNamespace('later');
    for (const namespace of ['default', 'kube-system', 'shop', 'later']) {
      await eventually(async () => expect(await identity.bundleIn(namespace)).toBe(identity.anchors));
    }
    const changed = JSON.stringify({ data: { 'ca-bundle.crt': 'changed' } });
    await cluster.kubectl(['patch', 'configmap', name, '-n', 'later', '-p', changed]);
    await eventually(async () => expect(await identity.bundleIn('later')).toBe(identity.anchors));
    await cluster.kubectl(['delete', 'configmap', name, '-n', 'shop']);
    await eventually(async () => expect(await identity.bundleIn('shop')).toBe(identity.anchors));
    await cluster.kubectl(['delete', 'namespace', 'later']);
    expect(await identity.first.ready()).not.toContain('trust-bundle-copies');
  });

  it('are told of where a copy was made immutable, published everywhere else, and there too once that one is deleted', async () => {
    await cluster.createNamespace('frozen');
    await eventually(async () => expect(await identity.bundleIn('frozen')).toBe(identity.anchors));
    await cluster.kubectl(['patch', 'configmap', name, '-n', 'frozen', '-p', '{"immutable":true}']);
    expect(await identity.first.ready()).toBe('200 ready\n');

    const wider = TrustBundle.of([
      ...TrustBundle.parsePem(identity.anchors).anchors,
      TestCa.create().certificate,
    ]);
    await publish(wider);
    await eventually(async () => {
      expect(await identity.bundleIn('shop')).toBe(wider.pem);
      expect(await identity.first.ready()).toMatch(/200 ready[^]*degraded: trust-bundle-copies: .*immutable/);
    });
    expect(await identity.bundleIn('frozen')).toBe(identity.anchors);
    await cluster.kubectl(['delete', 'configmap', name, '-n', 'frozen']);
    await eventually(async () => {
      expect(await identity.bundleIn('frozen')).toBe(wider.pem);
      expect(await identity.first.ready()).toBe('200 ready\n');
    }, 90_000);
    await publish(TrustBundle.parsePem(identity.anchors));
    await eventually(async () => expect(await identity.bundleIn('shop')).toBe(identity.anchors));
  }, 120_000);

  it('reach three hundred namespaces that come at once, and each of them again when they change, at a bounded rate', async () => {
    const create = (each: string): Promise<unknown> => {
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: each } };
      return cluster.expect('/api/v1/namespaces', { method: 'POST', body });
    };
    await Promise.all(many.map(create));
    const all = expect.arrayContaining(many) as unknown;
    await eventually(async () => expect([...(await holders(identity.anchors))]).toEqual(all), 120_000);

    const wider = TrustBundle.of([
      ...TrustBundle.parsePem(identity.anchors).anchors,
      TestCa.create().certificate,
    ]);
    const before = writes().length;
    await publish(wider);
    await eventually(async () => expect([...(await holders(wider.pem))]).toEqual(all), 120_000);
    const times = writes().slice(before);
    // Two replicas do the same, and neither writes where the other was faster and it has heard of that.
    expect(times.length).toBeGreaterThanOrEqual(many.length);
    expect(times.length).toBeLessThanOrEqual(2 * many.length);
    for (const from of times) {
      const within = times.filter((at) => at >= from && at < from + 1_000).length;
      expect(within).toBeLessThanOrEqual(2 * (100 + 50));
    }
    expect(await identity.first.ready()).toBe('200 ready\n');
  }, 300_000);
}

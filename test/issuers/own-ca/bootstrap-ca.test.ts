import type { KubeClient } from '../../../src/kube/kube-client.ts';
import { configMaps, secrets } from '../../../src/kube/resources.ts';
import { bootstrapCa } from '../../../src/issuers/own-ca/bootstrap-ca.ts';
import { anchorHolder, bundleHolder, issuerHolder } from '../../../src/issuers/own-ca/ca-objects.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { refusalOf } from '../../support/refusal.ts';
import { testDomain as mesh } from '../../support/rpc-server.ts';
import { TestCa } from '../../support/test-ca.ts';

const day = 86_400_000;
const signal = new AbortController().signal;
const places = {
  namespace: 'kedge',
  issuer: 'kedge-issuer',
  anchor: 'kedge-trust-anchor',
  bundle: 'kedge-trust-bundle',
};
const namespace = 'kedge';
/** As many calls as a replica makes that finds nothing. */
const calls = 9;

class Bench {
  readonly kube = new MemoryKube();
  readonly clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  readonly log = new LogCapture();

  run(client: KubeClient = this.kube): Promise<void> {
    const { clock, log } = this;
    const lifetimes = { anchorLifetimeMs: 3650 * day, issuerLifetimeMs: 365 * day };
    return bootstrapCa({ client, places, mesh, ...lifetimes, clock, log }, signal);
  }

  /** A client that stops before its call of this number until it is let go on, or for ever. */
  stopping(at: number): { client: KubeClient; stopped: Promise<unknown>; goOn: () => void } {
    const stopped = Promise.withResolvers<undefined>();
    const going = Promise.withResolvers<undefined>();
    let count = 0;
    const client = throughGate(this.kube, async () => {
      count += 1;
      if (count !== at + 1) return;
      stopped.resolve(undefined);
      await going.promise;
    });
    return { client, stopped: stopped.promise, goOn: () => going.resolve(undefined) };
  }

  put(resource: typeof secrets, name: string, data: Record<string, string>): void {
    this.kube.put(resource, { metadata: { namespace, name }, data });
  }

  /** One CA: the issuer is of the one anchor, which alone is published, and each object was written once at most. */
  expectOne(): void {
    const anchor = anchorHolder(places).read(this.#object(secrets, places.anchor));
    const issuer = issuerHolder(places).read(this.#object(secrets, places.issuer));
    const bundle = bundleHolder(places).read(this.#object(configMaps, places.bundle));
    if (anchor === undefined || issuer === undefined || bundle === undefined) throw new Error('not whole');
    expect(anchor.key).toBeDefined();
    expect(bundle.anchors.map(({ fingerprint }) => fingerprint)).toEqual([anchor.certificate.fingerprint]);
    const { certificate: leaf, chain: intermediates } = issuer;
    verifyChain({ leaf, intermediates, bundle, at: this.clock.now(), usage: 'ca' });
  }

  #object(resource: typeof secrets, name: string): object & { metadata: { name: string } } {
    const found = this.kube.object(resource, { namespace, name });
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }
}

function throughGate(kube: MemoryKube, gate: () => Promise<void>): KubeClient {
  return {
    read: async (...args) => (await gate(), kube.read(args[0], args[1])),
    list: async (...args) => (await gate(), kube.list(args[0], args[1], args[2])),
    create: async (...args) => (await gate(), kube.create(args[0], args[1], args[2])),
    replace: async (...args) => (await gate(), kube.replace(args[0], args[1], args[2])),
    apply: async (...args) => (await gate(), kube.apply(args[0], args[1], args[2])),
    patch: async (...args) => (await gate(), kube.patch(args[0], args[1], args[2])),
    remove: async (...args) => (await gate(), kube.remove(args[0], args[1])),
  };
}

const pem = (ca: TestCa): string => ca.certificate.pem;
const data64 = (texts: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
const pairData = (ca: TestCa): Record<string, string> =>
  data64({ 'tls.crt': pem(ca), 'tls.key': encodePrivateKey(ca.key) });

describe('bootstrapCa', () => {
  it('makes an anchor of ten years, its bundle and an issuer of one year', async () => {
    const bench = new Bench();
    await bench.run();
    bench.expectOne();
    const { kube, clock } = bench;
    expect(kube.writes.map(({ verb, object }) => [verb, (object as { metadata: object }).metadata])).toEqual([
      ['create', { namespace, name: 'kedge-trust-anchor' }],
      ['create', { namespace, name: 'kedge-trust-bundle' }],
      ['create', { namespace, name: 'kedge-issuer' }],
    ]);
    expect(kube.calls).toHaveLength(calls);
    const ends = bench.log.records.map(({ fields }) => fields['until']);
    expect(ends).toContain(new Date(clock.now().getTime() + 3650 * day).toISOString());
    expect(ends).toContain(new Date(clock.now().getTime() + 365 * day).toISOString());
    expect(bench.log.text).not.toContain('PRIVATE KEY');
  });

  it('writes nothing where everything is there', async () => {
    const bench = new Bench();
    await bench.run();
    await bench.run();
    expect(bench.kube.writes).toHaveLength(3);
  });

  it('fills objects that were made without content, and leaves what else is in them', async () => {
    const bench = new Bench();
    for (const name of [places.anchor, places.issuer]) bench.put(secrets, name, { note: 'eA==' });
    bench.put(configMaps, places.bundle, { note: 'x' });
    await bench.run();
    bench.expectOne();
    expect(bench.kube.writes.map(({ verb }) => verb)).toEqual(['replace', 'replace', 'replace']);
    const issuer = bench.kube.object(secrets, { namespace, name: places.issuer });
    expect(Object.keys(issuer?.['data'] as object)).toEqual(['note', 'tls.crt', 'tls.key']);
  });

  it('fills Secrets of the type for TLS, which cannot be without their names and so hold empty texts', async () => {
    const bench = new Bench();
    for (const name of [places.issuer, places.anchor])
      bench.put(secrets, name, { 'tls.crt': '', 'tls.key': '' });
    await bench.run();
    bench.expectOne();
  });

  it.each(Array.from({ length: calls + 1 }, (_, at) => at))(
    'ends with one CA when one replica waits after %i calls while another makes 0 to all of its own',
    async (at) => {
      for (let others = 0; others <= calls; others++) {
        const bench = new Bench();
        const first = bench.stopping(at);
        const second = bench.stopping(others);
        const one = bench.run(first.client);
        await Promise.race([first.stopped, one]);
        const two = bench.run(second.client);
        await Promise.race([second.stopped, two]);
        first.goOn();
        await one;
        second.goOn();
        await two;
        bench.expectOne();
        expect(bench.kube.calls.length).toBeGreaterThanOrEqual(calls);
      }
    },
  );

  it.each<['before' | 'after', number]>([
    ...Array.from({ length: calls }, (_, at): ['before', number] => ['before', at]),
    // Of the calls that find or write something; those are the three that write.
    ...Array.from({ length: 3 }, (_, at): ['after', number] => ['after', at]),
  ])('is completed by the next run when a replica dies %s its call %i was done', async (moment, at) => {
    const bench = new Bench();
    let count = 0;
    bench.kube[moment] = () => {
      if (count++ === at) throw new Error('died');
    };
    await expect(bench.run()).rejects.toThrow('died');
    await bench.run();
    bench.expectOne();
    expect(bench.kube.object(secrets, { namespace, name: places.anchor })).toBeDefined();
  });

  it('goes on with the anchor that is there when issuer and bundle were deleted', async () => {
    const bench = new Bench();
    await bench.run();
    bench.kube.delete(secrets, { namespace, name: places.issuer });
    await bench.run();
    bench.expectOne();
    bench.kube.delete(secrets, { namespace, name: places.issuer });
    bench.kube.delete(configMaps, { namespace, name: places.bundle });
    await bench.run();
    bench.expectOne();
  });

  it('needs no anchor where issuer and bundle are there: its key may have been taken away', async () => {
    const bench = new Bench();
    await bench.run();
    bench.kube.delete(secrets, { namespace, name: places.anchor });
    await bench.run();
    expect(bench.kube.object(secrets, { namespace, name: places.anchor })).toBeUndefined();
  });

  const root = TestCa.create();
  const issuer = root.intermediate();
  const bundleData = { 'ca-bundle.crt': TrustBundle.of([root.certificate]).pem };

  it.each<[string, (bench: Bench) => void, string]>([
    [
      'there is a bundle and no anchor',
      (bench) => bench.put(configMaps, places.bundle, bundleData),
      'ca_objects_incomplete: expected the trust anchor in the Secret kedge/kedge-trust-anchor to make the Secret kedge-issuer with, found none, while the ConfigMap kedge-trust-bundle is there',
    ],
    [
      'there is an issuer and no anchor',
      (bench) => bench.put(secrets, places.issuer, pairData(issuer)),
      'to make the ConfigMap kedge-trust-bundle with, found none, while the Secret kedge-issuer is there',
    ],
    [
      'the issuer is of another anchor',
      (bench) => {
        bench.put(secrets, places.issuer, pairData(issuer));
        bench.put(secrets, places.anchor, pairData(TestCa.create()));
      },
      'ca_objects_conflict: expected the issuer in the Secret kedge/kedge-issuer to be of the anchor in kedge-trust-anchor',
    ],
    [
      'the bundle is of another anchor',
      (bench) => {
        bench.put(configMaps, places.bundle, bundleData);
        bench.put(secrets, places.anchor, pairData(TestCa.create()));
      },
      'ca_objects_conflict: expected the anchor of the Secret kedge/kedge-trust-anchor in the ConfigMap kedge-trust-bundle, got only others',
    ],
    [
      'the key of the anchor was taken away',
      (bench) => {
        bench.put(configMaps, places.bundle, bundleData);
        bench.put(secrets, places.anchor, data64({ 'tls.crt': pem(root) }));
      },
      "ca_objects_incomplete: expected the anchor's key in the Secret kedge/kedge-trust-anchor",
    ],
    [
      'the anchor has the key of another',
      (bench) =>
        bench.put(
          secrets,
          places.anchor,
          data64({ 'tls.crt': pem(root), 'tls.key': encodePrivateKey(issuer.key) }),
        ),
      'ca_objects_conflict: the Secret kedge/kedge-trust-anchor: expected the private key of',
    ],
    [
      'the issuer has no key',
      (bench) => bench.put(secrets, places.issuer, data64({ 'tls.crt': pem(issuer) })),
      'ca_objects_conflict: the Secret kedge/kedge-issuer: expected tls.crt and tls.key',
    ],
    [
      'the bundle is garbage',
      (bench) => bench.put(configMaps, places.bundle, { 'ca-bundle.crt': 'garbage' }),
      'ca_objects_conflict: the ConfigMap kedge/kedge-trust-bundle: trust bundle:',
    ],
  ])('makes nothing where %s', async (_, prepare, message) => {
    const bench = new Bench();
    prepare(bench);
    expect(await refusalOf(bench.run())).toContain(message);
    expect(bench.kube.writes).toEqual([]);
  });

  it('makes an issuer under an anchor that its owner brought', async () => {
    const bench = new Bench();
    bench.put(secrets, places.anchor, pairData(root));
    await bench.run();
    bench.expectOne();
  });

  it('says so when the namespace is not there, instead of trying for ever', async () => {
    const bench = new Bench();
    bench.kube.before = ({ verb }) => {
      if (verb === 'create')
        throw Object.assign(new Error('no namespace'), { code: 'kube_not_found', kind: 'not_found' });
    };
    expect(await refusalOf(bench.run())).toBe('kube_not_found: no namespace');
  });
});

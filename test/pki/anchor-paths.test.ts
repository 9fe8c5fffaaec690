import { pathsToAnchors } from '../../src/pki/anchor-paths.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import type { TestLeaf } from '../support/test-ca.ts';

const hour = 3_600_000;
const later = (ms: number): Date => new Date(Math.floor((Date.now() + ms) / 1000) * 1000);
const [older, newer] = [TestCa.create({ notAfter: later(2 * hour) }), TestCa.create()];
const both = older.bundle.union(newer.bundle);

function labels(leaf: TestLeaf, bundle: TrustBundle, more: readonly TestCa[] = []): string[][] {
  const [certificate, ...chain] = leaf.chain;
  const intermediates = [...chain, ...more.map((ca) => ca.certificate)];
  const options = { leaf: certificate!, intermediates, bundle, at: new Date(), usage: 'both' } as const;
  return pathsToAnchors(options).map(({ path }) => path.slice(1).map(({ label }) => label));
}

describe('pathsToAnchors', () => {
  it('finds the one way where there is one', () => {
    const ca = newer.intermediate();
    const way = [ca.certificate.label, newer.certificate.label];
    expect(labels(ca.leaf(), newer.bundle)).toEqual([way]);
    expect(labels(ca.leaf(), both)).toEqual([way]);
  });

  it('finds a way to each anchor that signed a CA, the one that lasts longest first', () => {
    const ca = newer.intermediate();
    const bridge = older.crossSign(newer);
    expect(labels(ca.leaf({ notAfter: later(3 * hour) }), both, [bridge])).toEqual([
      [ca.certificate.label, newer.certificate.label],
      [ca.certificate.label, bridge.certificate.label, older.certificate.label],
    ]);
  });

  it('goes over an anchor to the one that signed it, though it was not sent', () => {
    const lower = newer.intermediate();
    const bundle = newer.bundle.union(lower.asAnchor().bundle);
    const ways = labels(lower.leaf(), bundle).toSorted((a, b) => a.length - b.length);
    expect(ways).toEqual([[lower.certificate.label], [lower.certificate.label, newer.certificate.label]]);
  });

  it('says from when until when a whole way is valid', () => {
    const ca = newer.intermediate({ notBefore: later(-60_000), notAfter: later(hour) });
    const leaf = ca.leaf({ notBefore: later(-30_000), notAfter: later(2 * hour) });
    const [certificate, ...intermediates] = leaf.chain;
    const options = { leaf: certificate!, intermediates, at: new Date(), usage: 'both' } as const;
    for (const bundle of [newer.bundle, both]) {
      const [way] = pathsToAnchors({ ...options, bundle });
      expect(way).toMatchObject({
        notBefore: certificate!.notBefore,
        notAfter: ca.certificate.notAfter,
        anchor: newer.certificate,
      });
    }
  });

  it('says of a CA that is an anchor itself that it is its own way', () => {
    const options = { leaf: older.certificate, intermediates: [], at: new Date(), usage: 'ca' } as const;
    expect(pathsToAnchors({ ...options, bundle: both }).map(({ path }) => path)).toEqual([
      [older.certificate],
    ]);
  });

  it('tells what is in the way where there is none, as the search over all anchors sees it', () => {
    const leaf = newer.intermediate({ permittedDns: ['other.example'] }).leaf();
    expect(refusal(() => labels(leaf, both))).toMatch(/^chain_name_not_permitted: /);
    expect(refusal(() => labels(TestCa.create().leaf(), both))).toMatch(/^chain_untrusted: /);
  });
});

import { X509Certificate } from 'node:crypto';
import type { TrustBundle } from '../../../../src/pki/trust-bundle.ts';
import type { TestKeyType } from '../../../support/certificate-builder.ts';
import { TestCa } from '../../../support/test-ca.ts';
import type { Behaviour, Cell } from '../behaviour.ts';
import type { Given } from '../open-issuer.ts';

export const chains = [
  {
    name: 'sends the CA that signed first, then those above it, without the anchor',
    run: async ({ open }) => {
      const { opened } = await open({ depth: 2 });
      const { leaf, intermediates } = await opened.ask();
      const chain = [leaf, ...intermediates];
      intermediates.forEach(({ subjectDer }, at) =>
        expect(chain[at]?.issuerDer.equals(subjectDer)).toBe(true),
      );
      const bundle = opened.anchors.value!;
      expect(intermediates.length).toBeGreaterThanOrEqual(2);
      expect(intermediates.filter((each) => bundle.has(each))).toEqual([]);
      expect(bundle.anchors.some(({ subjectDer }) => chain.at(-1)?.issuerDer.equals(subjectDer))).toBe(true);
    },
  },
  {
    name: 'sends a chain that OpenSSL verifies, certificate by certificate',
    run: async ({ open }) => {
      const { opened } = await open({ depth: 2 });
      verifies(await opened.ask(), opened.anchors.value!);
    },
  },
  ...(['P-384', 'RSA'] as const).map((caKey) => signedBy(caKey)),
  {
    name: 'goes on while one anchor replaces another, and says which one certificates chain to',
    run: async ({ open }) => {
      const { opened } = await open();
      const present = opened.anchors.value!;
      opened.anchors.set(present.union(TestCa.create().bundle));
      verifies(await opened.ask(), present);
      const text = await opened.metricsText();
      const anchors = [...text.matchAll(/^kedge_issuer_anchored_total\{anchor="(\w+)"\}/gm)].map(
        ([, anchor]) => anchor,
      );
      expect(anchors).toEqual(present.anchors.map(({ fingerprint }) => fingerprint));
    },
  },
] as const satisfies readonly Behaviour[];

function signedBy<K extends TestKeyType>(
  caKey: K,
): { name: `has a CA with a key of ${K} sign`; run: Behaviour['run'] } {
  return {
    name: `has a CA with a key of ${caKey} sign`,
    run: async ({ open }: Cell) => {
      const { opened } = await open({ caKey });
      const given = await opened.ask();
      verifies(given, opened.anchors.value!);
      // An issuer with a CA of its own below that one has a key of its own, too.
      const keys = given.intermediates.map(({ publicKey }) => publicKey);
      expect(keys.map(({ kind, algorithm }) => (kind === 'RSA' ? kind : algorithm))).toContain(
        caKey === 'RSA' ? 'RSA' : `EC ${caKey}`,
      );
    },
  };
}

function verifies({ leaf, intermediates }: Given, { anchors }: TrustBundle): void {
  const chain = [leaf, ...intermediates].map(({ der }) => new X509Certificate(der));
  const top = chain.at(-1)!;
  const anchor = anchors.map(({ der }) => new X509Certificate(der)).find((each) => top.checkIssued(each));
  expect(anchor).toBeDefined();
  [...chain.slice(1), anchor!].forEach((issuer, at) => {
    expect(chain[at]!.checkIssued(issuer) && chain[at]!.verify(issuer.publicKey)).toBe(true);
  });
}

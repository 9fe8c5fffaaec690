import { X509Certificate } from 'node:crypto';
import { checkIssued, issuedRules } from '../../src/issuers/check-issued.ts';
import type { CheckedCertificate } from '../../src/issuers/check-issued.ts';
import type { Answer } from '../../src/issuers/issued-rules.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import { thrownBy } from '../support/thrown-by.ts';
import { generalName } from '../support/certificate-builder.ts';
import { answerOf, dnsOnlyRequest, later, request } from './support/issue-request.ts';
import { leafBytes, serial } from './support/leaf-variants.ts';
import { wrongAnswers } from './support/wrong-answers.ts';

const root = TestCa.create();
const ca = root.intermediate();
const check = (answer: Answer, broken: (rule: string) => void = () => undefined): CheckedCertificate =>
  checkIssued(answer, broken);
const { dns } = generalName;

function withSerial(hex: string): Answer {
  const answer = answerOf(ca);
  const leaf = Certificate.parse(leafBytes(ca, { serial: serial(hex) }));
  return { ...answer, issued: { ...answer.issued, leaf } };
}

describe('checkIssued', () => {
  it.each<[string, Answer]>([
    ['what was asked for', answerOf(ca)],
    ['an anchor that signs by itself', answerOf(root)],
    ['a shorter life', answerOf(ca, { notAfter: later(60_000) })],
    ['the name as common name, too', answerOf(ca, { commonName: request.dnsName })],
    ['further usages that do no harm', answerOf(ca, { keyUsage: [0, 2, 4] })],
    ['a start long ago', answerOf(ca, { notBefore: later(-3_000_000) })],
    ['a serial number of 63 random bits', withSerial('7b3f90ad21c4e685')],
    ['a serial number of 160 bits', withSerial('7b3f90ad21c4e6857b3f90ad21c4e68500112233')],
    ['an issuer of P-384', answerOf(root.intermediate({ keyType: 'P-384' }))],
    ['an issuer of Ed25519', answerOf(root.intermediate({ keyType: 'Ed25519' }))],
    ['an RSA issuer', answerOf(TestCa.create({ keyType: 'RSA' }).intermediate({ keyType: 'RSA' }))],
    ['six issuers above it', answerOf(deeper(root, 6))],
  ])('lets %s pass', (_, answer) => {
    expect(check(answer).leaf).toBe(answer.issued.leaf);
  });

  it('lets a DNS name alone pass where only that was asked for', () => {
    const answer = answerOf(ca, { names: [dns(request.dnsName)] });
    expect(() => check({ ...answer, request: dnsOnlyRequest })).not.toThrow();
  });

  it.each(wrongAnswers.map(({ rule, what, make }) => [rule, what, make] as const))(
    'throws away by the rule "%s" a certificate with %s',
    (rule, _, make) => {
      const broken: string[] = [];
      const refused = refusal(() => check(make(ca, root), (name) => broken.push(name)));
      expect(refused).toContain(
        `issued_certificate_refused: the certificate from the issuer breaks the rule "${rule}": expected `,
      );
      expect(refused.length).toBeLessThan(1_000);
      expect(broken).toEqual([rule]);
    },
  );

  it('has a wrong answer for every rule but that of the format, which is met before', () => {
    const names = issuedRules.map(({ name }) => name);
    expect(names[0]).toBe('format');
    expect(new Set(wrongAnswers.map(({ rule }) => rule))).toEqual(new Set(names.slice(1)));
    expect(new Set(names).size).toBe(names.length);
  });

  it('is told as a fault of ours, not of the workload', () => {
    expect(thrownBy(() => check(answerOf(ca, { isCa: true })))).toMatchObject({ kind: 'internal' });
  });
});

describe('what is given on of the certificates beside the leaf', () => {
  const deep = ca.intermediate();
  const stranger = TestCa.create().intermediate();
  const labels = (given: readonly Certificate[]): string[] => given.map(({ label }) => label);
  const path = labels([deep.certificate, ca.certificate]);

  it.each<[string, readonly Certificate[]]>([
    ['in order', [deep.certificate, ca.certificate]],
    ['in the wrong order', [ca.certificate, deep.certificate]],
    ['twice', [ca.certificate, deep.certificate, ca.certificate, deep.certificate]],
    ['with the root', [root.certificate, deep.certificate, ca.certificate]],
    ['with strangers', [stranger.certificate, ca.certificate, stranger.anchor, deep.certificate]],
    ['with the leaf itself', [answerOf(deep).issued.leaf, deep.certificate, ca.certificate]],
  ])('are those of the path, each once, from the issuer up, when they came %s', (_, intermediates) => {
    const answer = answerOf(deep);
    const { intermediates: given } = check({ ...answer, issued: { ...answer.issued, intermediates } });
    expect(labels(given)).toEqual(path);
  });

  it('is the anchor where it signed by itself: there is never nothing', () => {
    const answer = answerOf(root);
    for (const intermediates of [[], [root.certificate], [stranger.certificate]]) {
      const given = check({ ...answer, issued: { ...answer.issued, intermediates } }).intermediates;
      expect(labels(given)).toEqual([root.certificate.label]);
    }
  });
});

describe('while one anchor replaces another', () => {
  const next = TestCa.create();
  const both = root.bundle.union(next.bundle);
  const anchorsOf = (answer: Answer): string[] => check(answer).anchors.map(({ label }) => label);

  it.each([
    ['the older', ca, root],
    ['the newer', next.intermediate(), next],
  ])('takes a leaf of %s, and says which anchor that is', (_, issuer, anchor) => {
    expect(anchorsOf({ ...answerOf(issuer), bundle: both })).toEqual([anchor.certificate.label]);
  });

  it('refuses a leaf of the newer before it is published, and of the older once it is gone', () => {
    expect(refusal(() => check({ ...answerOf(next.intermediate()), bundle: root.bundle }))).toContain(
      '"chain"',
    );
    expect(refusal(() => check({ ...answerOf(ca), bundle: next.bundle }))).toContain('"chain"');
  });

  it('sends what peers need that hold either of the two, where one has signed the other', () => {
    const cross = root.crossSign(next);
    const issuer = next.intermediate();
    const answer = { ...answerOf(issuer), bundle: both };
    const sent = check({
      ...answer,
      issued: { ...answer.issued, intermediates: [cross.certificate, issuer.certificate] },
    });
    expect(new Set(sent.anchors)).toEqual(new Set([root.certificate, next.certificate]));
    expect(sent.intermediates).toEqual([issuer.certificate, cross.certificate]);
    for (const bundle of [root.bundle, next.bundle]) {
      expect(() => check({ ...answer, bundle, issued: sent })).not.toThrow();
    }
  });

  it('does not hold it against a leaf that the older anchor ends before it does', () => {
    const ending = TestCa.create({ notAfter: later(60_000) });
    const cross = ending.crossSign(next, { notAfter: later(60_000) });
    const issuer = next.intermediate();
    const answer = answerOf(issuer);
    const sent = check({
      ...{ ...answer, bundle: ending.bundle.union(next.bundle) },
      issued: { ...answer.issued, intermediates: [issuer.certificate, cross.certificate] },
    });
    expect(sent.anchors).toEqual([next.certificate]);
    expect(sent.intermediates).toEqual([issuer.certificate, cross.certificate]);
  });

  it('goes the way of the anchor that lasts longest where both have one name and one key', () => {
    const options = { commonName: 'renewed', keyPair: root.keyPair };
    const ending = TestCa.create({ ...options, notAfter: later(60_000) });
    const renewed = TestCa.create(options);
    const answer = answerOf(renewed.intermediate());
    const { anchors } = check({ ...answer, bundle: ending.bundle.union(renewed.bundle) });
    expect(anchors).toEqual([renewed.certificate]);
  });

  it('sends an anchor that another one signed to those that hold only that other', () => {
    const lower = root.intermediate();
    const issuer = lower.intermediate();
    const answer = answerOf(issuer);
    const bundle = root.bundle.union(lower.asAnchor().bundle);
    const sent = check({
      ...answer,
      bundle,
      issued: { ...answer.issued, intermediates: [issuer.certificate] },
    });
    expect(sent.intermediates).toEqual([issuer.certificate, lower.certificate]);
    expect(new Set(sent.anchors)).toEqual(new Set([root.certificate, lower.certificate]));
  });

  it('leaves an anchor that has ended out of account', () => {
    const ended = TestCa.create({ notAfter: later(-1_000) });
    expect(anchorsOf({ ...answerOf(ca), bundle: ended.bundle.union(root.bundle) })).toEqual([
      root.certificate.label,
    ]);
  });
});

describe('openssl as a judge of answers', () => {
  const judge = ({ issued, bundle }: Answer): boolean =>
    openssl(['verify', '-purpose', 'sslserver', '-CAfile', 'anchors', '-untrusted', 'others', 'leaf'], {
      anchors: bundle.pem,
      others: issued.intermediates.map(({ pem }) => pem).join('') || issued.leaf.pem,
      leaf: issued.leaf.pem,
    }).ok;

  itWithOpenssl('takes what is given on, with nothing but that beside it', () => {
    for (const issuer of [root, ca, deeper(root, 3), root.intermediate({ keyType: 'P-384' })]) {
      const answer = answerOf(issuer);
      expect(judge({ ...answer, issued: check(answer) })).toBe(true);
    }
  });

  itWithOpenssl('refuses every chain that no verifier can take', () => {
    for (const { what, make, opensslToo } of wrongAnswers) {
      if (opensslToo) expect([what, judge(make(ca, root))]).toEqual([what, false]);
    }
  });

  it('and Node, certificate by certificate, finds each signed by the one behind it', () => {
    const { leaf, intermediates } = check(answerOf(deeper(root, 3)));
    const chain = [leaf, ...intermediates, root.certificate].map(({ der }) => new X509Certificate(der));
    chain.slice(1).forEach((issuer, at) => {
      expect(chain[at]?.checkIssued(issuer) && chain[at].verify(issuer.publicKey)).toBe(true);
    });
    expect(chain[0]?.checkHost(request.dnsName)).toBe(request.dnsName);
  });
});

function deeper(issuer: TestCa, levels: number): TestCa {
  return levels === 0 ? issuer : deeper(issuer.intermediate(), levels - 1);
}

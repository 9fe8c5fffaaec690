import fc from 'fast-check';
import { checkIssued } from '../../src/issuers/check-issued.ts';
import type { CheckedCertificate } from '../../src/issuers/check-issued.ts';
import type { Answer } from '../../src/issuers/issued-rules.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import { thrownBy } from '../support/thrown-by.ts';
import { answerOf } from './support/issue-request.ts';
import { wrongAnswers } from './support/wrong-answers.ts';

/** CAs of every accepted kind at every height; RSA pairs are shared, as they are slow to make. */
const pairs = (['P-256', 'P-384', 'Ed25519', 'RSA'] as const).map((type) => [
  testKeyPair(type),
  testKeyPair(type),
]);
const roots = pairs.map(([keyPair]) => TestCa.create({ keyPair: keyPair! }));
const cas = roots.flatMap((root) =>
  pairs.flatMap(([, keyPair]) => {
    const ca = root.intermediate({ keyPair: keyPair! });
    const lower = ca.intermediate();
    return [ca, lower, lower.intermediate()].map((each) => ({ ca: each, root }));
  }),
);
const strangers = Array.from({ length: 3 }, () => TestCa.create().intermediate().certificate);

/** By number, as a CA printed in full fills pages. */
const anyCa = fc.nat(cas.length - 1);
const anyWrong = fc.nat(wrongAnswers.length - 1);
const check = (answer: Answer): CheckedCertificate => checkIssued(answer, () => undefined);

describe('an answer that is right', () => {
  it('passes in whatever order and company its certificates come, and only the path goes on', () => {
    const company = fc.shuffledSubarray([...strangers, 'root', 'leaf', 'again'] as const);
    fc.assert(
      fc.property(
        anyCa,
        company,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        (number, more, order) => {
          const { ca, root } = cas[number]!;
          const answer = answerOf(ca);
          const extra = more.flatMap((one) => {
            if (one === 'root') return [root.certificate];
            if (one === 'leaf') return [answer.issued.leaf];
            return one === 'again' ? answer.issued.intermediates : [one];
          });
          const sent = [...answer.issued.intermediates, ...extra]
            .map((certificate, at) => ({ certificate, rank: order[at] ?? 0 }))
            .toSorted((a, b) => a.rank - b.rank)
            .map(({ certificate }) => certificate);
          const checked = check({ ...answer, issued: { ...answer.issued, intermediates: sent } });
          expect(checked.intermediates.map(({ fingerprint }) => fingerprint)).toEqual(
            ca.intermediates.map(({ fingerprint }) => fingerprint),
          );
          expect(checked.anchors).toEqual([root.certificate]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('an answer that is wrong in one respect', () => {
  it('is refused by the rule for it, whatever CA it comes from', () => {
    fc.assert(
      fc.property(anyCa, anyWrong, (number, which) => {
        const { ca, root } = cas[number]!;
        const { rule, make } = wrongAnswers[which]!;
        const broken: string[] = [];
        refusal(() => checkIssued(make(ca, root), (name) => broken.push(name)));
        expect(broken).toEqual([rule]);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused, or cannot even be read, when any one octet of the leaf is another', () => {
    fc.assert(
      fc.property(anyCa, fc.nat(), fc.integer({ min: 1, max: 255 }), (number, place, change) => {
        const answer = answerOf(cas[number]!.ca);
        const der = Buffer.from(answer.issued.leaf.der);
        const at = place % der.length;
        der[at] = (der[at] ?? 0) ^ change;
        const judged = (): unknown =>
          check({ ...answer, issued: { ...answer.issued, leaf: Certificate.parse(der) } });
        expect(['issued_certificate_refused', 'certificate_malformed']).toContain(
          (thrownBy(judged) as { code: string }).code,
        );
      }),
      { numRuns: 500 },
    );
  });
});

import { pkiAnswer } from '../../../src/issuers/vault/pki-answer.ts';
import { encodeName } from '../../../src/pki/distinguished-name.ts';
import { encodePem } from '../../../src/pki/pem.ts';
import { buildCertificate } from '../../support/certificate-builder.ts';
import { refusal } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';

const root = TestCa.create();
const ca = root.intermediate();
const leaf = ca.leaf();

/** Of version 1, as the roots of many companies still are; nothing here reads those. */
const oldRoot = encodePem(
  'CERTIFICATE',
  buildCertificate({
    issuerName: encodeName('old root'),
    issuerKey: root.key,
    subjectName: encodeName('old root'),
    publicKey: root.keyPair.publicKey,
    notBefore: root.certificate.notBefore,
    notAfter: root.certificate.notAfter,
    extensions: [],
    version: Buffer.alloc(0),
  }),
);

function answer(data: object): ReturnType<typeof pkiAnswer> {
  return pkiAnswer({ data: { certificate: leaf.certificate.pem, ...data } }, 'pki/sign/kedge');
}

describe('pkiAnswer', () => {
  it('passes over what nobody can read in the chain: a path is looked for in the rest', () => {
    const { certificate, others } = answer({ ca_chain: [ca.certificate.pem, oldRoot, 'no certificate'] });
    expect(certificate.equals(leaf.certificate)).toBe(true);
    expect(others.map(({ label }) => label)).toEqual([ca.certificate.label]);
  });

  it('does not pass over a certificate that nobody can read', () => {
    expect(refusal(() => answer({ certificate: oldRoot }))).toMatch(/^certificate_malformed: /);
    expect(refusal(() => answer({ certificate: 'no certificate' }))).toMatch(/^pem_malformed: /);
  });
});

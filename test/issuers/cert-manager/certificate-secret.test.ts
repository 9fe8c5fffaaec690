import { certificateTextsOf } from '../../../src/issuers/cert-manager/certificate-secret.ts';
import { secretData } from '../../../src/issuers/own-ca/ca-objects.ts';
import { Certificate } from '../../../src/pki/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { TestCa } from '../../support/test-ca.ts';

const root = TestCa.create();
const middle = root.intermediate();
const ca = middle.intermediate();
const pair = { 'tls.crt': ca.certificate.pem, 'tls.key': encodePrivateKey(ca.key) };

function textsOf(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return certificateTextsOf({ metadata: { name: 'kedge-issuer' }, data: secretData(texts) });
}

describe('certificateTextsOf', () => {
  it.each([['missing'], ['empty'], ['garbage']])('keeps the pair alone where ca.crt is %s', (what) => {
    const more = { missing: {}, empty: { 'ca.crt': '' }, garbage: { 'ca.crt': 'garbage' } }[what];
    expect(textsOf({ ...pair, ...more })).toEqual(pair);
  });

  it('puts what is in ca.crt behind what is in tls.crt, where it may lead up', () => {
    const texts = textsOf({
      ...pair,
      'tls.crt': ca.certificate.pem.trimEnd(),
      'ca.crt': middle.certificate.pem,
    });
    const certificates = Certificate.parsePem(texts['tls.crt'] ?? '');
    expect(certificates.map(({ label }) => label)).toEqual([ca.certificate.label, middle.certificate.label]);
  });

  it('keeps nothing of ca.crt by itself', () => {
    expect(textsOf({ 'ca.crt': root.certificate.pem })).toEqual({});
    expect(textsOf({ 'tls.key': pair['tls.key'], 'ca.crt': root.certificate.pem })).toEqual({
      'tls.key': pair['tls.key'],
    });
  });
});

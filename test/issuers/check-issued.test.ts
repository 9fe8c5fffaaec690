import { checkIssued, issuedRuleNames, type Answer } from '../../src/issuers/check-issued.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import { unsignedInteger } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { OID } from '../../src/pki/oids.ts';
import { buildCertificate, generalName, testKeyPair } from '../support/certificate-builder.ts';
import { extendedKeyUsage, keyUsage, subjectAltName } from '../support/certificate-builder.ts';
import { thrownBy } from '../support/thrown-by.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import { answerOf, dnsOnlyRequest, keyPair, later, now, request } from './support/issue-request.ts';

const hour = 3_600_000;
const root = TestCa.create();
const ca = root.intermediate();
const check = (answer: Answer, broken: (rule: string) => void = () => undefined): void =>
  checkIssued(answer, broken);
const { dns, uri, email, ip } = generalName;
const [dnsName, spiffeId] = [request.dnsName, request.uri ?? ''];

/** A leaf like the one asked for, with a serial number of choice. */
function withSerial(hex: string): Answer {
  const answer = answerOf(ca);
  const der = buildCertificate({
    issuerName: ca.certificate.subjectDer,
    issuerKey: ca.key,
    subjectName: encodeName(),
    publicKey: keyPair.publicKey,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    serial: unsignedInteger(Buffer.from(hex, 'hex')),
    extensions: [
      keyUsage(0),
      extendedKeyUsage(OID.serverAuth, OID.clientAuth),
      subjectAltName(true, dns(dnsName), uri(spiffeId)),
    ],
  });
  return { ...answer, issued: { ...answer.issued, leaf: Certificate.parse(der) } };
}

describe('checkIssued', () => {
  it.each<[string, Answer]>([
    ['what was asked for', answerOf(ca)],
    ['an anchor that signs by itself', answerOf(root)],
    ['a shorter life', answerOf(ca, { notAfter: later(60_000) })],
    ['the name as common name, too', answerOf(ca, { commonName: dnsName })],
    ['further usages that do no harm', answerOf(ca, { keyUsage: [0, 2, 4] })],
    ['a serial number of 64 bits', withSerial('8000000000000000')],
  ])('lets %s pass', (_, answer) => {
    expect(() => check(answer)).not.toThrow();
  });

  it('lets a DNS name alone pass where only that was asked for', () => {
    const answer = answerOf(ca, { names: [dns(dnsName)] });
    expect(() => check({ ...answer, request: dnsOnlyRequest })).not.toThrow();
  });

  it.each<[rule: string, what: string, answer: () => Answer]>([
    ['key', 'another key', () => answerOf(ca, { keyPair: testKeyPair() })],
    ['names', 'another name', () => answerOf(ca, { names: [dns('evil.example'), uri(spiffeId)] })],
    [
      'names',
      'a further name',
      () => answerOf(ca, { names: [dns(dnsName), dns('evil.example'), uri(spiffeId)] }),
    ],
    ['names', 'no SPIFFE ID', () => answerOf(ca, { names: [dns(dnsName)] })],
    ['names', 'another SPIFFE ID', () => answerOf(ca, { names: [dns(dnsName), uri('spiffe://x/y')] })],
    ['names', 'no names', () => answerOf(ca, { names: [] })],
    ['names', 'an IP address', () => answerOf(ca, { names: [dns(dnsName), uri(spiffeId), ip(10, 0, 0, 1)] })],
    [
      'names',
      'an e-mail address',
      () => answerOf(ca, { names: [dns(dnsName), uri(spiffeId), email('a@b.c')] }),
    ],
    ['names', 'another common name', () => answerOf(ca, { commonName: 'evil.example' })],
    ['names', 'a common name with a comma', () => answerOf(ca, { commonName: `${dnsName},CN=${dnsName}` })],
    ['not-a-ca', 'the CA flag', () => answerOf(ca, { isCa: true })],
    ['key-usage', 'no key usage', () => answerOf(ca, { keyUsage: null })],
    ['key-usage', 'a key usage without signatures', () => answerOf(ca, { keyUsage: [2] })],
    ['key-usage', 'the right to sign certificates', () => answerOf(ca, { keyUsage: [0, 5] })],
    ['key-usage', 'the right to sign revocations', () => answerOf(ca, { keyUsage: [0, 6] })],
    ['extended-key-usage', 'no extended key usage', () => answerOf(ca, { extendedKeyUsage: null })],
    ['extended-key-usage', 'serverAuth alone', () => answerOf(ca, { extendedKeyUsage: [OID.serverAuth] })],
    [
      'extended-key-usage',
      'any usage beside ours',
      () => answerOf(ca, { extendedKeyUsage: [OID.serverAuth, OID.clientAuth, OID.anyExtendedKeyUsage] }),
    ],
    ['serial', 'a serial number that can be guessed', () => withSerial('01')],
    ['serial', 'a serial number of 63 bits', () => withSerial('7fffffffffffffff')],
    ['lifetime', 'a longer life', () => answerOf(ca, { notAfter: later(hour + 1_000) })],
    ['lifetime', 'a life that has not begun', () => answerOf(ca, { notBefore: later(60_000) })],
    ['lifetime', 'a life that is over', () => answerOf(ca, { notAfter: now })],
    ['chain', 'a signature by an unknown CA', () => ({ ...answerOf(TestCa.create()), bundle: root.bundle })],
    [
      'chain',
      'no intermediates',
      () => ({ ...answerOf(ca), issued: { ...answerOf(ca).issued, intermediates: [] } }),
    ],
    ['chain', 'a signature that does not verify', () => answerOf(ca, { signature: 'garbage' })],
    ['chain', 'an extension that must be understood', () => answerOf(ca, { unknownCritical: true })],
    ['chain', 'a CA that has ended', () => answerOf(root.intermediate({ notAfter: later(-1_000) }))],
    ['chain', 'a CA that ends before it', () => answerOf(root.intermediate({ notAfter: later(60_000) }))],
    ['chain', 'an anchor that ends before it', () => answerOf(TestCa.create({ notAfter: later(60_000) }))],
    ['chain', 'a CA for other names', () => answerOf(root.intermediate({ permittedDns: ['other.example'] }))],
    ['chain', 'a CA that may have none below it', () => answerOf(root.intermediate({ isCa: false }))],
  ])('throws away by the rule "%s" a certificate with %s', (rule, _, answer) => {
    const broken: string[] = [];
    const refused = refusal(() => check(answer(), (name) => broken.push(name)));
    expect(refused).toContain(
      `issued_certificate_refused: the certificate from the issuer breaks the rule "${rule}": expected `,
    );
    expect(broken).toEqual([rule]);
  });

  it('has a case for every rule', () => {
    expect(issuedRuleNames).toEqual([
      ...['key', 'names', 'not-a-ca', 'key-usage', 'extended-key-usage', 'serial', 'lifetime', 'chain'],
    ]);
  });

  it('is told as a fault of ours, not of the workload', () => {
    expect(thrownBy(() => check(answerOf(ca, { isCa: true })))).toMatchObject({ kind: 'internal' });
  });

  it('finds the way through unordered and cross-signed intermediates', () => {
    const other = TestCa.create();
    const cross = other.crossSign(root);
    const deep = ca.intermediate();
    const answer = answerOf(deep);
    const intermediates = [ca.certificate, cross.certificate, deep.certificate];
    for (const bundle of [root.bundle, other.bundle, root.bundle.union(other.bundle)]) {
      expect(() => check({ ...answer, bundle, issued: { ...answer.issued, intermediates } })).not.toThrow();
    }
  });
});

import { X509Certificate as NodeCertificate } from 'node:crypto';
import { Certificate } from '../../src/pki/certificate.ts';
import { TAG, context } from '../../src/pki/der.ts';
import { bitString, octetString, oid, sequence, smallInteger, tlv } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { OID } from '../../src/pki/oids.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { X509Certificate } from '../../src/pki/x509.ts';
import type { CertificateSpec } from '../support/certificate-builder.ts';
import {
  basicConstraints,
  buildCertificate,
  extension,
  generalName,
  keyUsage,
  subjectAltName,
  testKeyPair,
  unknownExtension,
} from '../support/certificate-builder.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';

const pair = testKeyPair();

/** A certificate with one thing changed. */
function build(change: Partial<CertificateSpec> = {}): Buffer {
  return buildCertificate({
    issuerName: encodeName('issuer'),
    issuerKey: pair.privateKey,
    subjectName: encodeName('subject'),
    publicKey: pair.publicKey,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2027-01-01T00:00:00Z'),
    serial: smallInteger(77),
    extensions: [],
    ...change,
  });
}

const withExtensions = (...extensions: Buffer[]): Certificate => Certificate.parse(build({ extensions }));

describe('Certificate', () => {
  it('shows what it says', () => {
    const certificate = withExtensions(
      basicConstraints(true, 3),
      keyUsage(5, 6),
      subjectAltName(
        false,
        generalName.dns('a.b'),
        generalName.uri('spiffe://x/y'),
        generalName.ip(10, 0, 0, 1),
        generalName.email('a@b'),
      ),
    );
    expect(certificate).toMatchObject({
      serial: '4d',
      subject: 'CN=subject',
      issuer: 'CN=issuer',
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2027-01-01T00:00:00Z'),
      isCa: true,
      pathLength: 3,
      extendedKeyUsage: undefined,
      nameConstraints: undefined,
      unknownCriticalExtensions: [],
      label: 'CN=subject (serial 4d)',
    });
    expect([...(certificate.keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign']);
    expect(certificate.sans).toEqual({
      dnsFirst: true,
      dns: ['a.b'],
      uri: ['spiffe://x/y'],
      ip: ['10.0.0.1'],
      email: ['a@b'],
      other: 0,
    });
    expect(certificate.signatureAlgorithm.name).toBe('ecdsa-with-SHA256');
  });

  it('writes IPv6 addresses in full', () => {
    const address = generalName.ip(0xfd, 0, ...Array.from({ length: 13 }, () => 0), 1);
    expect(withExtensions(subjectAltName(false, address)).sans.ip).toEqual(['fd00:0:0:0:0:0:0:1']);
  });

  it('has neither limits nor names without extensions', () => {
    expect(Certificate.parse(build())).toMatchObject({
      isCa: false,
      pathLength: undefined,
      keyUsage: undefined,
      sans: { dns: [], uri: [], ip: [], email: [], other: 0 },
      subjectKeyId: undefined,
      authorityKeyId: undefined,
    });
  });

  it('says the same as node:crypto and @peculiar/x509 do', () => {
    const ca = TestCa.create({ commonName: 'root' });
    const { certificate } = ca.leaf({ uri: 'spiffe://cluster.local/ns/shop/sa/web' });
    const node = new NodeCertificate(certificate.der);
    const peculiar = new X509Certificate(certificate.der);
    expect(certificate.fingerprint).toBe(node.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(certificate.serial).toBe(node.serialNumber.toLowerCase());
    expect(certificate.serial).toBe(peculiar.serialNumber);
    expect(certificate.issuer).toBe(peculiar.issuer);
    expect(certificate.notAfter).toEqual(peculiar.notAfter);
    expect(certificate.notBefore).toEqual(node.validFromDate);
    expect(node.subjectAltName).toBe(`DNS:${certificate.sans.dns[0]}, URI:${certificate.sans.uri[0]}`);
    expect(certificate.pem).toBe(node.toString());
    expect(certificate.publicKey.spki).toEqual(Buffer.from(peculiar.publicKey.rawData));
  });

  it('is labelled by an alternative name when the subject is empty', () => {
    const nameless = build({
      subjectName: encodeName(),
      extensions: [subjectAltName(true, generalName.uri('spiffe://x'))],
    });
    expect(Certificate.parse(nameless).label).toBe('spiffe://x (serial 4d)');
    expect(Certificate.parse(build({ subjectName: encodeName() })).label).toBe('without a name (serial 4d)');
  });

  it('keeps bytes of its own, so that a reused buffer cannot change it', () => {
    const der = build();
    const certificate = Certificate.parse(der);
    const fingerprint = Certificate.parse(Buffer.from(der)).fingerprint;
    der.fill(0);
    expect(certificate.fingerprint).toBe(fingerprint);
    expect(certificate.subject).toBe('CN=subject');
  });

  it('tells critical extensions it does not understand, and passes over others', () => {
    expect(withExtensions(unknownExtension(true)).unknownCriticalExtensions).toEqual([
      '1.3.6.1.4.1.55555.1.1',
    ]);
    expect(withExtensions(unknownExtension(false)).unknownCriticalExtensions).toEqual([]);
    const policies = extension('2.5.29.32', true, sequence(sequence(oid('2.5.29.32.0'))));
    expect(withExtensions(policies).unknownCriticalExtensions).toEqual(['2.5.29.32']);
    const keyId = extension(OID.subjectKeyIdentifier, true, octetString(Buffer.of(1)));
    expect(withExtensions(keyId).unknownCriticalExtensions).toEqual([OID.subjectKeyIdentifier]);
  });

  it('knows whose signature it carries', () => {
    const ca = TestCa.create();
    const { certificate } = ca.leaf();
    expect(certificate.isSignedBy(ca.certificate.publicKey)).toBe(true);
    expect(certificate.isSignedBy(certificate.publicKey)).toBe(false);
    expect(certificate.isSignedBy(TestCa.create({ keyType: 'Ed25519' }).certificate.publicKey)).toBe(false);
    expect(ca.leaf({ signature: 'garbage' }).certificate.isSignedBy(ca.certificate.publicKey)).toBe(false);
    expect(ca.leaf({ signature: 'sha1' }).certificate.isSignedBy(ca.certificate.publicKey)).toBe(false);
  });
});

describe('unique identifiers', () => {
  it('are passed over', () => {
    const uniqueIdentifier = tlv(context(2, false), Buffer.of(4, 0xf0));
    expect(Certificate.parse(build({ uniqueIdentifier })).subject).toBe('CN=subject');
  });
});

describe('what is not a certificate', () => {
  const twice = extension('1.2.3', false, Buffer.of(5, 0));
  const falseCritical = sequence(oid('1.2.3'), tlv(TAG.boolean, Buffer.of(0)), octetString());
  const explicitFalse = extension(OID.basicConstraints, true, sequence(tlv(TAG.boolean, Buffer.of(0))));
  const lengthWithoutCa = extension(OID.basicConstraints, true, sequence(smallInteger(1)));
  const version = (number: number): Buffer => tlv(context(0, true), smallInteger(number));
  const name = (generalNames: Buffer): Buffer => extension(OID.subjectAltName, false, generalNames);

  it.each<[string, Partial<CertificateSpec>, string]>([
    ['version 1', { version: Buffer.alloc(0) }, 'expected version 3, got version 1'],
    ['version 2', { version: version(1) }, 'expected version 3, got version 2'],
    ['version 4', { version: version(3) }, 'expected version 3, got version 4'],
    [
      'a negative serial number',
      { serial: tlv(TAG.integer, Buffer.of(0xff)) },
      'expected a serial number of at most 20 octets that is not negative, got 1 octets',
    ],
    [
      'a serial number of 21 octets',
      { serial: tlv(TAG.integer, Buffer.alloc(21, 1)) },
      'expected a serial number of at most 20 octets that is not negative, got 21 octets',
    ],
    [
      'a unique identifier that is no bit string',
      { uniqueIdentifier: tlv(context(1, false), Buffer.of(9, 0xff)) },
      'expected at most 7 unused bits in a BIT STRING, got 9 in 1 bytes',
    ],
    ['no issuer', { issuerName: encodeName() }, 'expected an issuer name, got an empty one'],
    [
      'another algorithm inside than outside',
      { innerAlgorithm: sequence(oid(OID.ecdsaSha384)) },
      'expected one signature algorithm inside and outside, got ecdsa-with-SHA384 and ecdsa-with-SHA256',
    ],
    ['an extension twice', { extensions: [twice, twice] }, 'expected each extension once, got 1.2.3 twice'],
    [
      'alternative names twice',
      {
        extensions: [
          subjectAltName(false, generalName.dns('a')),
          subjectAltName(false, generalName.dns('b')),
        ],
      },
      'expected each extension once, got 2.5.29.17 twice',
    ],
    [
      'critical FALSE written out',
      { extensions: [falseCritical] },
      'critical: expected FALSE left out (X.690 11.5), got it written',
    ],
    [
      'CA FALSE written out',
      { extensions: [explicitFalse] },
      'basic constraints: expected FALSE left out (X.690 11.5), got it written',
    ],
    [
      'a path length without the CA flag',
      { extensions: [lengthWithoutCa] },
      'basic constraints: expected a path length on CAs only, got one without the CA flag',
    ],
    [
      'a path length of 256',
      { extensions: [basicConstraints(true, 256)] },
      'basic constraints: expected a path length of at most 255, got 256',
    ],
    [
      'CRL distribution points that are not a sequence',
      { extensions: [extension(OID.crlDistributionPoints, false, tlv(TAG.set))] },
      'extension 2.5.29.31: expected extension 2.5.29.31 (tag 0x30), got tag 0x31',
    ],
    [
      'a key usage of no bits',
      { extensions: [keyUsage()] },
      'key usage: expected one or more of the nine usages, got bits none',
    ],
    [
      'a key usage of unknown bits',
      { extensions: [keyUsage(0, 9)] },
      'key usage: expected one or more of the nine usages, got bits 0, 9',
    ],
    [
      'an extended key usage without purpose',
      { extensions: [extension(OID.extendedKeyUsage, false, sequence())] },
      'extended key usage: expected a purpose, got none',
    ],
    [
      'alternative names without a name',
      { extensions: [name(sequence())] },
      'subject alternative name: expected at least one name, got none',
    ],
    [
      'a DNS name with a NUL',
      { extensions: [name(sequence(generalName.dns('a.b\0.evil')))] },
      'DNS name: expected printable ASCII, got other bytes',
    ],
    [
      'a DNS name beyond ASCII',
      { extensions: [name(sequence(generalName.dns('ø')))] },
      'DNS name: expected printable ASCII, got other bytes',
    ],
    [
      'an IP address of five bytes',
      { extensions: [name(sequence(generalName.ip(1, 2, 3, 4, 5)))] },
      'IP address: expected 4 or 16 bytes, got 5',
    ],
    [
      'a general name of no kind',
      { extensions: [name(sequence(tlv(context(9, false))))] },
      'subject alternative name: expected a general name, got tag 137',
    ],
    [
      'bytes behind an extension value',
      {
        extensions: [
          extension(OID.keyUsage, true, Buffer.concat([tlv(TAG.bitString, Buffer.of(7, 128)), Buffer.of(0)])),
        ],
      },
      'key usage: expected no more bytes, got 1 left over',
    ],
    [
      'seventy extensions',
      { extensions: Array.from({ length: 70 }, (_, i) => extension(`1.2.${i}`, false, Buffer.of(5, 0))) },
      'extensions: expected at most 64 extensions, got more',
    ],
  ])('refuses %s', (_name, change, message) => {
    expect(refusal(() => Certificate.parse(build(change)))).toBe(
      `certificate_malformed: certificate: ${message}`,
    );
  });

  it.each([
    [
      'bytes behind it',
      Buffer.concat([build(), Buffer.of(0)]),
      /^certificate_malformed: certificate: certificate: expected no more bytes, got 1 left over$/,
    ],
    ['nothing', Buffer.alloc(0), /got nothing more$/],
    ['garbage', Buffer.from('garbage'), /expected certificate \(tag 0x30\), got tag 0x67$/],
    ['a megabyte', Buffer.alloc(1 << 20, 0x30), /expected at most 65536 bytes, got 1048576$/],
  ])('refuses %s', (_name, der, message) => {
    expect(refusal(() => Certificate.parse(der))).toMatch(message);
  });

  it('refuses unsigned parts that are not there', () => {
    expect(
      refusal(() =>
        Certificate.parse(sequence(sequence(), sequence(oid(OID.ed25519)), bitString(Buffer.alloc(64)))),
      ),
    ).toBe('certificate_malformed: certificate: expected version 3, got version 1');
  });
});

describe('Certificate.parsePem', () => {
  const { certificate, chain, key } = TestCa.create().intermediate().leaf();

  it('reads a chain in its order', () => {
    const read = Certificate.parsePem(chain.map(({ pem }) => pem).join('# comment\n'));
    expect(read.map(({ fingerprint }) => fingerprint)).toEqual(chain.map(({ fingerprint }) => fingerprint));
  });

  it('refuses text without a certificate, and keys among certificates', () => {
    expect(refusal(() => Certificate.parsePem('hello'))).toBe(
      'pem_malformed: expected CERTIFICATE blocks in PEM, got none',
    );
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
    expect(refusal(() => Certificate.parsePem(certificate.pem + encodePem('PRIVATE KEY', pkcs8)))).toBe(
      'pem_malformed: expected CERTIFICATE blocks in PEM, got PRIVATE KEY',
    );
  });
});

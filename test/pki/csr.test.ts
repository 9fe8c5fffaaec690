import { Csr, MAX_CSR_BYTES, createCsr } from '../../src/pki/csr.ts';
import { TAG, context } from '../../src/pki/der.ts';
import { bitString, oid, sequence, setOf, smallInteger, text, tlv } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { OID } from '../../src/pki/oids.ts';
import { parsePem } from '../../src/pki/pem.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { Pkcs10CertificateRequest } from '../../src/pki/x509.ts';
import type { TestKeyType, TestSignature } from '../support/certificate-builder.ts';
import {
  extension,
  generalName,
  keyUsage,
  subjectAltName,
  testKeyPair,
} from '../support/certificate-builder.ts';
import { buildCsr, challengePassword, extensionRequest } from '../support/csr-builder.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal } from '../support/refusal.ts';

const DNS = 'web.shop.serviceaccount.identity.kedge.cluster.local';
const URI = 'spiffe://cluster.local/ns/shop/sa/web';

describe('createCsr', () => {
  const { privateKey } = testKeyPair();
  const der = createCsr({ key: privateKey, dnsName: DNS, uri: URI });

  it('asks for the DNS name and the URI with an empty subject, and nothing else', () => {
    const csr = Csr.parse(der);
    expect(csr.verifySignature()).toBe(true);
    expect(csr).toMatchObject({
      subject: '',
      commonName: undefined,
      subjectRdnCount: 0,
      sans: { dns: [DNS], uri: [URI], ip: [], email: [], other: 0 },
      extensionOids: [OID.subjectAltName],
      attributeOids: [OID.extensionRequest],
      unknownAttributes: [],
      duplicate: undefined,
      asksForCa: false,
    });
    expect(csr.publicKey.equals(PublicKey.of(privateKey))).toBe(true);
  });

  it('asks for the DNS name alone where the identity service gives no other', () => {
    expect(Csr.parse(createCsr({ key: privateKey, dnsName: DNS })).sans).toMatchObject({
      dns: [DNS],
      uri: [],
    });
  });

  it('signs with whatever key it is given', () => {
    for (const type of ['P-384', 'Ed25519', 'RSA'] as const) {
      expect(
        Csr.parse(createCsr({ key: testKeyPair(type).privateKey, dnsName: DNS })).verifySignature(),
      ).toBe(true);
    }
  });

  it('satisfies @peculiar/x509', async () => {
    const request = new Pkcs10CertificateRequest(der);
    expect(await request.verify()).toBe(true);
    expect(request.subject).toBe('');
    expect(Buffer.from(request.publicKey.rawData)).toEqual(PublicKey.of(privateKey).spki);
  });

  itWithOpenssl('satisfies `openssl req -verify`', () => {
    const { ok, text: shown } = openssl(
      ['req', '-inform', 'der', '-in', 'csr', '-verify', '-noout', '-text'],
      { csr: der },
    );
    expect(ok).toBe(true);
    expect(shown).toContain('verify OK');
    expect(shown).toContain(`DNS:${DNS}, URI:${URI}`);
  });
});

describe('Csr', () => {
  it('shows a policy everything a hostile request asks for', () => {
    const csr = Csr.parse(
      buildCsr({
        commonName: 'other',
        dnsNames: ['a.b', 'c.d'],
        uris: ['spiffe://evil/x'],
        ips: [[10, 0, 0, 1]],
        emails: ['root@example.org'],
        names: [generalName.directory(encodeName('x'))],
        ca: true,
        extensions: [keyUsage(5)],
        attributes: [challengePassword('hunter2')],
      }),
    );
    expect(csr.verifySignature()).toBe(true);
    expect(csr).toMatchObject({
      subject: 'CN=other',
      commonName: 'other',
      subjectRdnCount: 1,
      subjectTypes: ['CN'],
      sans: {
        dns: ['a.b', 'c.d'],
        uri: ['spiffe://evil/x'],
        ip: ['10.0.0.1'],
        email: ['root@example.org'],
        other: 1,
      },
      extensionOids: [OID.subjectAltName, OID.basicConstraints, OID.keyUsage],
      unknownAttributes: ['1.2.840.113549.1.9.7'],
      asksForCa: true,
    });
  });

  it('shows every part of a subject', () => {
    const part = (type: string, value: string): Buffer =>
      setOf(sequence(oid(type), text(TAG.utf8String, value)));
    const csr = Csr.parse(
      buildCsr({
        subject: sequence(part('2.5.4.10', 'Evil'), part(OID.commonName, 'a'), part(OID.commonName, 'b')),
      }),
    );
    expect(csr).toMatchObject({
      subjectRdnCount: 3,
      subjectTypes: ['O', 'CN', 'CN'],
      commonName: 'b',
      subject: 'CN=b,CN=a,O=Evil',
    });
  });

  it('lets no name hide behind another: all of names asked for twice are shown, and that they are', () => {
    const hidden = subjectAltName(false, generalName.dns('hidden'), generalName.uri('spiffe://hidden'));
    const inOneRequest = Csr.parse(buildCsr({ dnsNames: ['shown'], extensions: [hidden] }));
    const inTwoRequests = Csr.parse(
      buildCsr({ dnsNames: ['shown'], attributes: [extensionRequest(hidden)] }),
    );
    expect(inOneRequest.duplicate).toBe(OID.subjectAltName);
    expect(inOneRequest.sans.dns).toEqual(['shown', 'hidden']);
    expect(inTwoRequests.duplicate).toBe(OID.extensionRequest);
    expect(new Set(inTwoRequests.sans.dns)).toEqual(new Set(['shown', 'hidden']));
    expect(inTwoRequests.sans.uri).toEqual(['spiffe://hidden']);
  });

  it('is read without names and without attributes', () => {
    expect(Csr.parse(buildCsr({ extensionRequest: false }))).toMatchObject({
      attributeOids: [],
      sans: { dns: [] },
    });
  });

  it.each<[TestKeyType, string]>([
    ['P-224', 'EC P-224'],
    ['P-384', 'EC P-384'],
    ['P-521', 'EC P-521'],
    ['RSA', 'RSA 2048'],
    ['RSA-1024', 'RSA 1024'],
    ['Ed25519', 'Ed25519'],
  ])('reads a request with a %s key, for a policy to refuse by name', (keyType, algorithm) => {
    const csr = Csr.parse(buildCsr({ keyType }));
    expect(csr.publicKey.algorithm).toBe(algorithm);
    expect(csr.verifySignature()).toBe(true);
  });
});

describe('requests made elsewhere', () => {
  itWithOpenssl('are read when the openssl command made them', () => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key'];
    const names = ['-subj', `/CN=${DNS}`, '-addext', `subjectAltName=DNS:${DNS}`];
    const { text: pem } = openssl(['req', '-new', ...key, ...names], {});
    const block = parsePem(pem).find(({ label }) => label === 'CERTIFICATE REQUEST')!;
    const csr = Csr.parse(block.der);
    expect(csr.verifySignature()).toBe(true);
    expect(csr).toMatchObject({ commonName: DNS, sans: { dns: [DNS] }, extensionOids: [OID.subjectAltName] });
    expect(csr.publicKey.algorithm).toBe('EC P-256');
  });
});

describe('verifySignature', () => {
  it.each<[string, Parameters<typeof buildCsr>[0]]>([
    ['random bytes for a signature', { signature: 'garbage' }],
    ['a request changed after it was signed', { tampered: true }],
    ['a request for the key of another', { carriedKey: testKeyPair() }],
    ['a request for a key of another kind', { carriedKey: testKeyPair('RSA') }],
    ['SHA-1', { signature: 'sha1' }],
    ['RSA-PSS', { keyType: 'RSA', signature: 'rsa-pss' }],
  ])('is false for %s', (_name, options) => {
    expect(Csr.parse(buildCsr(options)).verifySignature()).toBe(false);
  });

  it.each<TestSignature>(['sha384', 'sha512'])('is true for a longer digest (%s)', (signature) => {
    expect(Csr.parse(buildCsr({ signature })).verifySignature()).toBe(true);
  });

  it('wastes no work on RSA keys of monstrous size', () => {
    const huge = sequence(tlv(TAG.integer, Buffer.alloc(1100, 0x7f)), smallInteger(3));
    const spki = sequence(sequence(oid(OID.rsaEncryption), tlv(TAG.null)), bitString(huge));
    const info = sequence(smallInteger(0), encodeName(), spki, tlv(context(0, true)));
    const csr = Csr.parse(
      sequence(info, sequence(oid(OID.rsaSha256), tlv(TAG.null)), bitString(Buffer.alloc(1100, 1))),
    );
    expect(csr.publicKey.bits).toBe(8799);
    expect(csr.verifySignature()).toBe(false);
  });
});

describe('what is not a signing request', () => {
  const good = buildCsr();
  const request = (attributes: Buffer): Buffer => {
    const info = sequence(
      smallInteger(0),
      encodeName(),
      PublicKey.of(testKeyPair().publicKey).spki,
      attributes,
    );
    return sequence(info, sequence(oid(OID.ecdsaSha256)), bitString(Buffer.alloc(70)));
  };
  const attributes = (...parts: Buffer[]): Buffer => tlv(context(0, true), ...parts);

  it.each<[string, Buffer, string]>([
    [
      'bytes behind it',
      buildCsr({ trailing: Buffer.of(0) }),
      'request: expected no more bytes, got 1 left over',
    ],
    [
      'a second request behind it',
      Buffer.concat([good, good]),
      `request: expected no more bytes, got ${good.length} left over`,
    ],
    ['nothing', Buffer.alloc(0), 'request: expected request (tag 0x30), got nothing more'],
    ['garbage', Buffer.from('not a request'), 'request: expected request (tag 0x30), got tag 0x6e'],
    [
      'PEM',
      Buffer.from('-----BEGIN CERTIFICATE REQUEST-----'),
      'request: expected request (tag 0x30), got tag 0x2d',
    ],
    [
      'a cut one',
      good.subarray(0, 100),
      `request: expected ${good.length - 4} bytes of content, got only 96`,
    ],
    ['version 2', buildCsr({ version: 1 }), 'expected version 1, got version 2'],
    [
      'no attributes at all',
      request(Buffer.alloc(0)),
      'request info: expected attributes (tag 0xa0), got nothing more',
    ],
    [
      'an extension request with two values',
      request(attributes(sequence(oid(OID.extensionRequest), setOf(sequence(), sequence())))),
      'attribute values: expected no more bytes, got 2 left over',
    ],
    [
      'an extension request without a value',
      request(attributes(sequence(oid(OID.extensionRequest), setOf()))),
      'attribute values: expected extension request (tag 0x30), got nothing more',
    ],
    [
      'attributes out of order',
      request(
        attributes(...[challengePassword('x'), extensionRequest()].toSorted((a, b) => Buffer.compare(b, a))),
      ),
      'expected a SET OF in ascending order, got another order',
    ],
    [
      'twenty attributes',
      request(attributes(...Array.from({ length: 20 }, () => challengePassword('x')))),
      'attributes: expected at most 16, got more',
    ],
    [
      'a DNS name with a NUL',
      buildCsr({ dnsNames: [`${DNS}\0.evil`] }),
      'DNS name: expected printable ASCII, got other bytes',
    ],
    [
      'malformed basic constraints',
      buildCsr({ extensions: [extension(OID.basicConstraints, true, Buffer.of(5, 0))] }),
      'basic constraints: expected basic constraints (tag 0x30), got tag 0x05',
    ],
  ])('refuses %s', (_name, der, message) => {
    expect(refusal(() => Csr.parse(der))).toBe(`csr_malformed: signing request: ${message}`);
  });

  it('refuses a megabyte before reading any of it', () => {
    const message = `csr_too_large: expected a signing request of at most ${MAX_CSR_BYTES} bytes, got 1048576`;
    expect(refusal(() => Csr.parse(Buffer.alloc(1 << 20, 0x30)))).toBe(message);
    expect(
      refusal(() => Csr.parse(buildCsr({ attributes: [challengePassword('x'.repeat(1 << 20))] }))),
    ).toMatch(/^csr_too_large: expected a signing request of at most 16384 bytes, got 10\d{5}$/);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import type { Certificate } from '../../src/pki/certificate.ts';
import { Csr } from '../../src/pki/csr.ts';
import { DerReader, TAG, readSequence } from '../../src/pki/der.ts';
import { readIntegerBytes } from '../../src/pki/der-values.ts';
import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import type { LeafTemplate } from '../../src/pki/sign-leaf.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { X509Certificate } from '../../src/pki/x509.ts';
import type { TestKeyType } from '../support/certificate-builder.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { buildCsr, challengePassword } from '../support/csr-builder.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';

const { dnsName, spiffeId: uri } = new MeshDomain('kedge', 'cluster.local').identity('shop', 'web.v2');
const publicKey = PublicKey.of(testKeyPair().publicKey);
const NOW = new Date();
const HOUR = 3_600_000;

const template = (change: Partial<LeafTemplate> = {}): LeafTemplate => ({
  publicKey,
  dnsName,
  uri,
  notBefore: new Date(NOW.getTime() - 20_000),
  notAfter: new Date(NOW.getTime() + HOUR),
  ...change,
});

describe('signLeaf', () => {
  const ca = TestCa.create({ commonName: 'root' }).intermediate({ commonName: 'identity' });
  const leaf = signLeaf(ca, template());

  it('makes a workload certificate and nothing more', () => {
    expect(leaf).toMatchObject({
      subject: '',
      issuer: 'CN=identity',
      isCa: false,
      pathLength: undefined,
      nameConstraints: undefined,
      extendedKeyUsage: [OID.serverAuth, OID.clientAuth],
      sans: { dns: [dnsName], uri: [uri], ip: [], email: [], other: 0 },
      unknownCriticalExtensions: [],
    });
    expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(leaf.publicKey.equals(publicKey)).toBe(true);
    expect(leaf.authorityKeyId).toEqual(ca.certificate.subjectKeyId);
    expect(leaf.subjectKeyId).toEqual(publicKey.keyId);
  });

  it('writes the DNS name first and the alternative names as critical, for the subject is empty', () => {
    const { extensions } = new X509Certificate(leaf.der);
    const names = extensions.find(({ type }) => type === OID.subjectAltName)!;
    expect(names.critical).toBe(true);
    const inner = readSequence(new Uint8Array(names.value), 'names');
    expect([inner.any().tag, inner.any().tag]).toEqual([0x82, 0x86]);
    expect(extensions.filter(({ critical }) => critical).map(({ type }) => type)).toEqual([
      OID.keyUsage,
      OID.subjectAltName,
    ]);
    expect(extensions.map(({ type }) => type)).not.toContain(OID.basicConstraints);
  });

  it('leaves the URI out when none is asked for', () => {
    const { notBefore, notAfter } = template();
    expect(signLeaf(ca, { publicKey, dnsName, notBefore, notAfter }).sans).toMatchObject({
      dns: [dnsName],
      uri: [],
    });
  });

  it('gives whole seconds, and the right form of time on either side of 2050', () => {
    const made = signLeaf(
      ca,
      template({
        notBefore: new Date('2049-12-31T23:59:59.900Z'),
        notAfter: new Date('2050-01-01T00:00:00.900Z'),
      }),
    );
    expect(made.notBefore.toISOString()).toBe('2049-12-31T23:59:59.000Z');
    expect(made.notAfter.toISOString()).toBe('2050-01-01T00:00:00.000Z');
    expect(made.der.includes(Buffer.from('\x17\x0d491231235959Z\x18\x0f20500101000000Z', 'latin1'))).toBe(
      true,
    );
  });

  it('gives every leaf a positive serial of 128 random bits in at most 20 octets', () => {
    const serials = Array.from({ length: 50 }, () => serialOf(signLeaf(ca, template())));
    expect(new Set(serials.map((serial) => serial.toString('hex'))).size).toBe(50);
    for (const serial of serials) {
      expect(serial.length).toBeLessThanOrEqual(20);
      expect(serial.length).toBeGreaterThanOrEqual(16);
      expect(serial[0]).toBe(1);
    }
    const ones = serials.reduce((sum, serial) => sum + bitsSet(serial.subarray(1)), 0);
    expect(ones).toBeGreaterThan(50 * 128 * 0.45);
    expect(ones).toBeLessThan(50 * 128 * 0.55);
  });

  it('takes nothing from a hostile request but its key', () => {
    const csr = Csr.parse(
      buildCsr({
        commonName: 'admin',
        dnsNames: ['evil.example'],
        ips: [[1, 2, 3, 4]],
        ca: true,
        attributes: [challengePassword('x')],
      }),
    );
    const made = signLeaf(ca, template({ publicKey: csr.publicKey }));
    expect(made).toMatchObject({ subject: '', isCa: false, sans: { dns: [dnsName], uri: [uri], ip: [] } });
    expect(made.der.includes('evil.example') || made.der.includes('admin')).toBe(false);
    expect(made.publicKey.equals(csr.publicKey)).toBe(true);
  });

  it.each<[TestKeyType, string]>([
    ['P-256', 'ecdsa-with-SHA256'],
    ['P-384', 'ecdsa-with-SHA384'],
    ['RSA', 'sha256WithRSAEncryption'],
    ['Ed25519', 'Ed25519'],
  ])('signs with a %s CA by %s, and every judge agrees', async (keyType, algorithm) => {
    const issuer = TestCa.create({ keyType });
    const made = signLeaf(issuer, template());
    expect(made.signatureAlgorithm.name).toBe(algorithm);
    expect(
      verifyChain({ leaf: made, intermediates: [], bundle: issuer.bundle, at: NOW, usage: 'both' }),
    ).toHaveLength(2);
    const verdict = await new X509Certificate(made.der).verify({
      publicKey: issuer.certificate.publicKey.spki,
      date: NOW,
    });
    expect(verdict).toBe(true);
  });

  it('copies the issuer name as it is written, whatever string type that was', () => {
    expect(leaf.issuerDer).toEqual(ca.certificate.subjectDer);
  });

  it('falls back to the hash of the key where a CA has no key identifier', () => {
    const bare = TestCa.create({ subjectKeyId: false });
    expect(bare.certificate.subjectKeyId).toBeUndefined();
    expect(signLeaf(bare, template()).authorityKeyId).toEqual(PublicKey.of(bare.key).keyId);
  });

  it('refuses to sign with a key no proxy takes signatures of', () => {
    const odd = TestCa.create({ keyPair: generateKeyPairSync('ec', { namedCurve: 'P-521' }) });
    expect(refusal(() => signLeaf(odd, template()))).toBe(
      'key_not_allowed: expected a CA key of P-256, P-384, Ed25519 or RSA, got EC P-521',
    );
  });

  it('verifies for whatever identity it is made', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
    fc.assert(
      fc.property(label, label, (namespace, serviceAccount) => {
        const identity = new MeshDomain('kedge', 'cluster.local').identity(namespace, serviceAccount);
        const made = signLeaf(ca, template({ dnsName: identity.dnsName, uri: identity.spiffeId }));
        verifyChain({
          leaf: made,
          intermediates: ca.intermediates,
          bundle: ca.bundle,
          at: NOW,
          usage: 'both',
        });
        expect(made.sans).toMatchObject({ dns: [identity.dnsName], uri: [identity.spiffeId] });
      }),
      { numRuns: 30 },
    );
  });

  itWithOpenssl('passes `openssl verify` in strict mode, for server and client', () => {
    const files = { root: ca.anchor.pem, identity: ca.certificate.pem, leaf: leaf.pem };
    for (const purpose of ['sslserver', 'sslclient']) {
      const args = [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        'root',
        '-untrusted',
        'identity',
        'leaf',
      ];
      expect(openssl(args, files).text).toContain('leaf: OK');
    }
  });

  itWithOpenssl('shows in `openssl x509 -text` what it should and nothing else', () => {
    const { text } = openssl(['x509', '-in', 'leaf', '-noout', '-text'], { leaf: leaf.pem });
    const extensions = text.slice(
      text.indexOf('X509v3 extensions'),
      text.indexOf('Signature Algorithm', text.indexOf('X509v3 extensions')),
    );
    expect(extensions.match(/X509v3 [A-Z][^:]*: ?(critical)?/g)?.map((line) => line.trim())).toEqual([
      'X509v3 Key Usage: critical',
      'X509v3 Extended Key Usage:',
      'X509v3 Authority Key Identifier:',
      'X509v3 Subject Alternative Name: critical',
      'X509v3 Subject Key Identifier:',
    ]);
    expect(extensions).toContain(`DNS:${dnsName}, URI:${uri}`);
    expect(text).toMatch(/Subject:\s*\n/);
  });
});

function serialOf(certificate: Certificate): Buffer {
  const tbs = new DerReader(certificate.der, 'certificate').inside('certificate').inside('tbs');
  tbs.any();
  return readIntegerBytes(tbs.element(TAG.integer, 'serial'));
}

function bitsSet(bytes: Buffer): number {
  return [...bytes].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
}

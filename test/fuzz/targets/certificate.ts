import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { Certificate } from '../../../src/pki/certificate.ts';
import { PublicKey } from '../../../src/pki/public-key.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readNodes, writeNodes } from '../mutate/der-tree.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { caKeyWord, certificates } from '../samples/certificates.ts';
import { p256 } from '../samples/fixed-keys.ts';
import { fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

const caKey = PublicKey.of(p256(caKeyWord).publicKey);
const signedParts = new Set(certificates.map(signedPart));

/** What is read says what OpenSSL says, and only what was signed verifies. */
export const certificateTarget = fuzzTarget<Buffer>({
  name: 'certificate',
  file: 'pki/certificate.ts',
  inputs: changedDer(...certificates),
  check,
  explore: {
    files: ['certificate', 'certificate-extensions', 'extensions', 'general-names', 'name-constraints'].map(
      (name) => `pki/${name}.ts`,
    ),
    seeds: certificates,
    shape: 'der',
    check,
  },
});

function check(der: Buffer): Outcome {
  return readOrRefuse(
    { codes: ['certificate_malformed'] },
    () => Certificate.parse(der),
    (certificate) => {
      assert.deepEqual(certificate.der, der);
      agreesWithOpenSsl(certificate);
      assert.doesNotMatch(`${certificate.label}${certificate.issuer}`, /\p{Cc}/u);
      assert.ok(certificate.publicKey.bits >= 0);
      assert.equal(typeof certificate.isSignedBy(certificate.publicKey), 'boolean');
      if (certificate.isSignedBy(caKey)) assert.ok(signedParts.has(signedPart(der)), 'expected no forgery');
      assert.ok(Certificate.parsePem(certificate.pem)[0]?.equals(certificate));
    },
  );
}

function agreesWithOpenSsl(certificate: Certificate): void {
  const other = readByOpenSsl(certificate);
  if (other === undefined) return;
  assert.equal(BigInt(`0x${other.serialNumber}`), BigInt(`0x${certificate.serial}`));
  assert.equal(other.validFromDate.getTime(), certificate.notBefore.getTime());
  assert.equal(other.validToDate.getTime(), certificate.notAfter.getTime());
  assert.equal(other.fingerprint256.replaceAll(':', '').toLowerCase(), certificate.fingerprint);
  const dns = [...(other.subjectAltName ?? '').matchAll(/DNS:([\w.-]+)(?:,|$)/g)].map(([, name]) => name);
  const plain = certificate.sans.dns.filter((name) => /^[\w.-]+$/.test(name));
  assert.ok(dns.length === 0 || dns.join() === plain.join(), 'expected the DNS names OpenSSL reads');
}

/** Undefined for the two things in which OpenSSL is stricter: values in names that are no text, and keys nobody takes. */
function readByOpenSsl(certificate: Certificate): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate.der);
  } catch (error) {
    const noText = /=#[0-9a-f]/.test(`${certificate.subject},${certificate.issuer}`);
    assert.ok(noText || certificate.publicKey.kind === 'unknown', String(error));
    return undefined;
  }
}

/** Under the signature, in hex. */
function signedPart(der: Buffer): string {
  const body = readNodes(der)?.[0]?.parts?.[0];
  return body === undefined ? '' : writeNodes([body]).toString('hex');
}

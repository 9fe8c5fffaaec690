import { hash } from 'node:crypto';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';

const [a, b] = [TestCa.create().certificate, TestCa.create().certificate];

describe('TrustBundle', () => {
  it('is the same whatever order, comments and repetitions it was written with', () => {
    const one = TrustBundle.parsePem(`# ours\n${a.pem}\n${b.pem}`);
    const other = TrustBundle.parsePem(`${b.pem}${a.pem}${b.pem}`);
    expect(one.equals(other)).toBe(true);
    expect(one.pem).toBe(other.pem);
    expect(one.anchors).toHaveLength(2);
  });

  it('has the hash of its text, as sha256sum shows it', () => {
    const bundle = TrustBundle.of([a]);
    expect(bundle.pem).toBe(a.pem);
    expect(bundle.sha256).toBe(hash('sha256', a.pem, 'hex'));
  });

  it('reads back its own text', () => {
    const bundle = TrustBundle.of([a, b]);
    expect(TrustBundle.parsePem(bundle.pem).sha256).toBe(bundle.sha256);
  });

  it('joins with another, and knows what it holds', () => {
    const joined = TrustBundle.of([a]).union(TrustBundle.of([b]));
    expect(joined.equals(TrustBundle.of([a, b]))).toBe(true);
    expect(joined.equals(TrustBundle.of([a]))).toBe(false);
    expect(joined.has(b)).toBe(true);
    expect(TrustBundle.of([a]).has(b)).toBe(false);
  });

  it('may hold an anchor past its end: verification is what refuses it', () => {
    const old = TestCa.create({
      notBefore: new Date('2001-01-01'),
      notAfter: new Date('2002-01-01'),
    }).certificate;
    expect(TrustBundle.of([old]).anchors).toHaveLength(1);
  });

  it('refuses to be empty', () => {
    expect(refusal(() => TrustBundle.of([]))).toBe(
      'bundle_malformed: trust bundle: expected 1 to 64 CA certificates, got 0',
    );
    expect(refusal(() => TrustBundle.parsePem(''))).toBe(
      'bundle_malformed: trust bundle: expected CERTIFICATE blocks in PEM, got none',
    );
  });

  it('refuses certificates that are not CAs, and names them', () => {
    const { certificate } = TestCa.create().leaf();
    expect(refusal(() => TrustBundle.parsePem(a.pem + certificate.pem))).toBe(
      `bundle_malformed: trust bundle: expected CA certificates only, got ${certificate.label} without the CA flag`,
    );
  });

  it('refuses private keys and broken certificates', () => {
    expect(refusal(() => TrustBundle.parsePem(a.pem + encodePem('PRIVATE KEY', Buffer.of(1))))).toBe(
      'bundle_malformed: trust bundle: expected CERTIFICATE blocks in PEM, got PRIVATE KEY',
    );
    expect(refusal(() => TrustBundle.parsePem(encodePem('CERTIFICATE', a.der.subarray(0, -1))))).toMatch(
      /^bundle_malformed: trust bundle: certificate: certificate: expected \d+ bytes of content, got only \d+$/,
    );
  });
});

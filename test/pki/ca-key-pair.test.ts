import { caKeyPair, parseCaKeyPair } from '../../src/pki/ca-key-pair.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { refusal } from '../support/refusal.ts';
import type { TestCaOptions } from '../support/test-ca.ts';
import { TestCa } from '../support/test-ca.ts';

describe('caKeyPair', () => {
  it('takes a CA with its key and keeps what stands above it', () => {
    const root = TestCa.create();
    const [upper, lower] = [root.intermediate(), root.intermediate().intermediate()];
    expect(caKeyPair([upper.certificate], upper.key)).toEqual({
      certificate: upper.certificate,
      key: upper.key,
      chain: [],
    });
    const pem = [lower.certificate, ...lower.chain].map((each) => each.pem).join('');
    expect(parseCaKeyPair(pem, encodePrivateKey(lower.key)).chain.map((each) => each.fingerprint)).toEqual(
      lower.chain.map((each) => each.fingerprint),
    );
  });

  it('takes a CA that has no key usage at all', () => {
    const ca = TestCa.create({ keyUsage: null });
    expect(caKeyPair([ca.certificate], ca.key).certificate).toBe(ca.certificate);
  });

  it.each<[string, TestCaOptions, string, string]>([
    [
      'that is not a CA',
      { isCa: false },
      'ca_not_usable: expected a CA certificate, got',
      'without the CA flag',
    ],
    [
      'that may not sign certificates',
      { keyUsage: [0, 6] },
      'ca_not_usable: expected a CA certificate, got',
      'without the key usage keyCertSign',
    ],
    ['with a short key', { keyType: 'RSA-1024' }, 'key_not_allowed: expected a CA key of', 'got RSA 1024'],
    [
      'on a curve nobody takes',
      { keyType: 'P-521' },
      'key_not_allowed: expected a CA key of',
      'got EC P-521',
    ],
  ])('refuses a certificate %s', (_name, options, start, end) => {
    const ca = TestCa.create({ ...options, ...(options.keyType === 'RSA-1024' && { signature: 'sha384' }) });
    const message = refusal(() => caKeyPair([ca.certificate], ca.key));
    expect(message.startsWith(start)).toBe(true);
    expect(message.endsWith(end)).toBe(true);
  });

  it('refuses the key of another certificate', () => {
    const [ca, other] = [TestCa.create({ commonName: 'ours' }), TestCa.create()];
    expect(refusal(() => caKeyPair([ca.certificate], other.key))).toBe(
      `key_mismatch: expected the private key of ${ca.certificate.label}, got another key`,
    );
  });

  it('refuses an empty chain', () => {
    expect(refusal(() => caKeyPair([], TestCa.create().key))).toBe(
      'ca_not_usable: expected a CA certificate, got none',
    );
  });
});

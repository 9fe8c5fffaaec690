import { generateKeyPairSync } from 'node:crypto';
import { checkCaKey, checkLeafKey, isCaKeyAllowed } from '../../src/pki/key-policy.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import type { TestKeyType } from '../support/certificate-builder.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { refusal } from '../support/refusal.ts';

const key = (type: TestKeyType): PublicKey => PublicKey.of(testKeyPair(type).publicKey);

describe('checkLeafKey', () => {
  it('takes P-256', () => {
    expect(() => checkLeafKey(key('P-256'))).not.toThrow();
  });

  it.each<[TestKeyType, string]>([
    ['P-224', 'EC P-224'],
    ['P-384', 'EC P-384'],
    ['Ed25519', 'Ed25519'],
    ['RSA', 'RSA 2048'],
    ['RSA-1024', 'RSA 1024'],
  ])('refuses %s', (type, name) => {
    expect(refusal(() => checkLeafKey(key(type)))).toBe(
      `key_not_allowed: expected a workload key of EC P-256, got ${name}`,
    );
  });
});

describe('checkCaKey', () => {
  it.each<TestKeyType>(['P-256', 'P-384', 'Ed25519', 'RSA'])('takes %s', (type) => {
    expect(isCaKeyAllowed(key(type))).toBe(true);
    expect(() => checkCaKey(key(type))).not.toThrow();
  });

  it.each<[TestKeyType, string]>([
    ['P-224', 'EC P-224'],
    ['P-521', 'EC P-521'],
    ['RSA-1024', 'RSA 1024'],
  ])('refuses %s', (type, name) => {
    expect(refusal(() => checkCaKey(key(type)))).toBe(
      `key_not_allowed: expected a CA key of EC P-256, EC P-384, Ed25519 or RSA of 2048 to 8192 bits, got ${name}`,
    );
  });

  it('refuses RSA-PSS keys', () => {
    const pss = PublicKey.of(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey);
    expect(refusal(() => checkCaKey(pss))).toMatch(/^key_not_allowed: .*, got RSA-PSS$/);
  });
});

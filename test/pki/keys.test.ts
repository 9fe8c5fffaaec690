import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { encodePrivateKey, generateKeyPair, keyMatches, parsePrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';

const ec = testKeyPair('P-256').privateKey;
const rsa = testKeyPair('RSA').privateKey;
const EXPECTED =
  'private_key_malformed: expected one unencrypted private key in PEM (PKCS #8, SEC1 or PKCS #1), got';

describe('parsePrivateKey', () => {
  it.each([
    ['PKCS #8, EC', ec, ec.export({ type: 'pkcs8', format: 'pem' })],
    ['PKCS #8, RSA', rsa, rsa.export({ type: 'pkcs8', format: 'pem' })],
    ['SEC1', ec, ec.export({ type: 'sec1', format: 'pem' })],
    ['PKCS #1', rsa, rsa.export({ type: 'pkcs1', format: 'pem' })],
  ])('reads %s', (_name, key, pem) => {
    expect(parsePrivateKey(pem).equals(key)).toBe(true);
  });

  it('reads back what encodePrivateKey wrote', () => {
    expect(encodePrivateKey(ec)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(parsePrivateKey(encodePrivateKey(ec)).equals(ec)).toBe(true);
  });

  itWithOpenssl('reads what `openssl ecparam -genkey` writes, parameters in front', () => {
    const made = openssl(['ecparam', '-name', 'prime256v1', '-genkey'], {}).text;
    expect(made).toContain('BEGIN EC PARAMETERS');
    expect(PublicKey.of(parsePrivateKey(made)).algorithm).toBe('EC P-256');
  });

  const encrypted = ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  const oldEncrypted = ec.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  const leaf = TestCa.create().leaf().certificate;

  it.each([
    [
      'an encrypted key',
      encrypted,
      'an encrypted private key; decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`',
    ],
    [
      'an encrypted key of the old form',
      oldEncrypted,
      'an encrypted private key; decrypt it with `openssl pkey -in key.pem -out plain.pem`',
    ],
    [
      'a public key',
      createPublicKey(ec).export({ type: 'spki', format: 'pem' }),
      'a public key; give the private key it was made from',
    ],
    ['a certificate', leaf.pem, 'a certificate; give the private key that belongs to it'],
    [
      'an OpenSSH key',
      encodePem('OPENSSH PRIVATE KEY', Buffer.from('x')),
      'an OpenSSH key; convert it with `ssh-keygen -p -m PKCS8 -f key`',
    ],
    [
      'a signing request',
      encodePem('CERTIFICATE REQUEST', Buffer.from('x')),
      'a signing request; give the private key it was made with',
    ],
    ['something else', encodePem('DH PARAMETERS', Buffer.from('x')), 'a block DH PARAMETERS'],
    ['nothing', '', 'no PEM block'],
    ['two keys', encodePrivateKey(ec) + encodePrivateKey(ec), '2 PEM blocks'],
    [
      'a key that is none',
      encodePem('PRIVATE KEY', Buffer.from('secret bytes')),
      'a block PRIVATE KEY that is not one',
    ],
    [
      'a key under the wrong label',
      encodePem('RSA PRIVATE KEY', ec.export({ type: 'sec1', format: 'der' })),
      'a block RSA PRIVATE KEY that is not one',
    ],
  ])('refuses %s, and says what to do', (_name, pem, message) => {
    expect(refusal(() => parsePrivateKey(pem))).toBe(`${EXPECTED} ${message}`);
  });
});

describe('parsePrivateKey with hostile bytes', () => {
  it('says nothing of them', () => {
    expect(refusal(() => parsePrivateKey(encodePem('PRIVATE KEY', Buffer.from('5ecret'))))).not.toContain(
      '5ecret',
    );
  });

  it('refuses a number that does not fit the curve, which OpenSSL takes', () => {
    const [version, curve] = ['020100', '301306072a8648ce3d020106082a8648ce3d030107'];
    const number = `0201010423${'f0'.repeat(35)}`;
    const der = Buffer.from(`3044${version}${curve}042a3028${number}`, 'hex');
    expect(refusal(() => parsePrivateKey(encodePem('PRIVATE KEY', der)))).toContain(
      'a block PRIVATE KEY that is not one',
    );
  });
});

describe('keyMatches', () => {
  it('knows the key of a certificate from any other', () => {
    const { certificate, key } = TestCa.create().leaf();
    expect(keyMatches(certificate, key)).toBe(true);
    expect(keyMatches(certificate, ec)).toBe(false);
    expect(keyMatches(certificate, rsa)).toBe(false);
  });

  it('works for every kind of CA', () => {
    const ed25519 = TestCa.create({ keyPair: generateKeyPairSync('ed25519') });
    expect(keyMatches(ed25519.certificate, ed25519.key)).toBe(true);
    const withRsa = TestCa.create({ keyPair: { privateKey: rsa, publicKey: createPublicKey(rsa) } });
    expect(keyMatches(withRsa.certificate, rsa)).toBe(true);
  });
});

describe('generateKeyPair', () => {
  it('makes a new P-256 pair each time', () => {
    const [one, other] = [generateKeyPair(), generateKeyPair()];
    expect(PublicKey.of(one.privateKey).algorithm).toBe('EC P-256');
    expect(PublicKey.of(one.publicKey).equals(PublicKey.of(one.privateKey))).toBe(true);
    expect(one.privateKey.equals(other.privateKey)).toBe(false);
  });
});

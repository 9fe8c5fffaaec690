import { generateKeyPairSync, sign } from 'node:crypto';
import { TAG } from '../../src/pki/der.ts';
import { bitString, oid, sequence, smallInteger, tlv, unsignedInteger } from '../../src/pki/der-writer.ts';
import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import type { TestKeyType } from '../support/certificate-builder.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { refusal } from '../support/refusal.ts';

const NULL = tlv(TAG.null);
const spki = (algorithm: Buffer[], bits: Buffer): Buffer => sequence(sequence(...algorithm), bitString(bits));

describe('PublicKey', () => {
  it.each<[TestKeyType, string, string, number]>([
    ['P-256', 'EC', 'EC P-256', 256],
    ['P-384', 'EC', 'EC P-384', 384],
    ['P-521', 'EC', 'EC P-521', 521],
    ['P-224', 'EC', 'EC P-224', 224],
    ['Ed25519', 'Ed25519', 'Ed25519', 256],
    ['RSA', 'RSA', 'RSA 2048', 2048],
    ['RSA-1024', 'RSA', 'RSA 1024', 1024],
  ])('knows %s by its bytes', (type, kind, algorithm, bits) => {
    const key = PublicKey.of(testKeyPair(type).publicKey);
    expect(key).toMatchObject({ kind, algorithm, bits });
    expect(PublicKey.parse(key.spki).equals(key)).toBe(true);
  });

  it('is the same from either half of a pair', () => {
    const { privateKey, publicKey } = testKeyPair();
    expect(PublicKey.of(privateKey).spki).toEqual(PublicKey.of(publicKey).spki);
  });

  it.each([
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).publicKey],
    ['Ed448', generateKeyPairSync('ed448').publicKey],
    ['EC curve 1.3.132.0.10', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    [
      'EC explicit parameters',
      generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey,
    ],
    ['algorithm 1.3.101.110', generateKeyPairSync('x25519').publicKey],
  ])('reads %s as a key nobody accepts, so that a refusal can name it', (algorithm, key) => {
    expect(PublicKey.of(key)).toMatchObject({ kind: 'unknown', algorithm, bits: 0 });
  });

  it.each([
    ['EC P-256 compressed or cut', spki([oid(OID.ecPublicKey), oid(OID.p256)], Buffer.alloc(33, 2))],
    ['EC P-256 compressed or cut', spki([oid(OID.ecPublicKey), oid(OID.p256)], Buffer.alloc(0))],
    ['EC explicit parameters', spki([oid(OID.ecPublicKey)], Buffer.alloc(65, 4))],
    ['Ed25519 with parameters', spki([oid(OID.ed25519), NULL], Buffer.alloc(32))],
    [
      'RSA without NULL parameters',
      spki([oid(OID.rsaEncryption)], sequence(smallInteger(3), smallInteger(3))),
    ],
    [
      'bad RSA',
      spki(
        [oid(OID.rsaEncryption), NULL],
        sequence(unsignedInteger(Buffer.alloc(256, 255)), unsignedInteger(Buffer.alloc(200, 1))),
      ),
    ],
    [
      'bad RSA',
      spki(
        [oid(OID.rsaEncryption), NULL],
        sequence(unsignedInteger(Buffer.of(0)), unsignedInteger(Buffer.of(3))),
      ),
    ],
  ])('reads %s as unknown', (algorithm, der) => {
    expect(PublicKey.parse(der)).toMatchObject({ kind: 'unknown', algorithm });
  });

  it('has the fingerprint of the whole and the key identifier of the bits', () => {
    const key = PublicKey.parse(spki([oid(OID.ed25519)], Buffer.alloc(32)));
    expect(key.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(key.keyId.toString('hex')).toBe('de8a847bff8c343d69b853a215e6ee775ef2ef96');
  });

  it('verifies its own signatures and no others, either way', () => {
    const { privateKey } = testKeyPair();
    const key = PublicKey.of(privateKey);
    const signature = sign('sha256', Buffer.from('data'), privateKey);
    for (const way of ['verify', 'verifyOnce'] as const) {
      expect(key[way]('sha256', Buffer.from('data'), signature)).toBe(true);
      expect(key[way]('sha256', Buffer.from('date'), signature)).toBe(false);
      expect(key[way]('sha256', Buffer.from('data'), Buffer.from('garbage'))).toBe(false);
      expect(key[way]('no such digest', Buffer.from('data'), signature)).toBe(false);
    }
  });

  it('says no, and does not throw, for points that are not on the curve', () => {
    const off = PublicKey.parse(
      spki([oid(OID.ecPublicKey), oid(OID.p256)], Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)])),
    );
    expect(off.algorithm).toBe('EC P-256');
    expect(off.verifyOnce('sha256', Buffer.of(1), Buffer.of(1))).toBe(false);
    expect(off.verify('sha256', Buffer.of(1), Buffer.of(1))).toBe(false);
    expect(refusal(() => off.keyObject)).toBe(
      'key_not_allowed: expected a public key that can be used, got EC P-256',
    );
  });

  it.each([
    [
      'bytes behind it',
      Buffer.concat([spki([oid(OID.ed25519)], Buffer.alloc(32)), Buffer.of(0)]),
      'subject public key info: expected no more bytes, got 1 left over',
    ],
    [
      'an RSA key that is not one',
      spki([oid(OID.rsaEncryption), NULL], Buffer.of(1, 2)),
      'RSA public key: expected RSA public key (tag 0x30), got tag 0x01',
    ],
    [
      'a NULL with something in it',
      spki([oid(OID.rsaEncryption), tlv(TAG.null, Buffer.of(0))], Buffer.of(1)),
      'expected a NULL without content, got 1 bytes',
    ],
    [
      'two sets of parameters',
      spki([oid(OID.ed25519), NULL, NULL], Buffer.alloc(32)),
      'key algorithm: expected no more bytes, got 2 left over',
    ],
  ])('refuses %s', (_name, der, message) => {
    expect(refusal(() => PublicKey.parse(der))).toBe(`der_malformed: ${message}`);
  });
});

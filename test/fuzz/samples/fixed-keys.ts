import type { KeyObject } from 'node:crypto';
import { createECDH, createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { octetString, oid, sequence, smallInteger, unsignedInteger } from '../../../src/pki/der-writer.ts';
import { OID } from '../../../src/pki/oids.ts';
import type { KeyPair } from '../../support/certificate-builder.ts';

// Keys and signatures that are the same in every process: a finding is replayed by its seed, so nothing may be random.

/** The order of P-256 (FIPS 186-5). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The P-256 pair of a word. */
export function p256(word: string): KeyPair {
  const d = digest(word);
  const point = pointOf(d);
  return pairOf(
    createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        d: d.toString('base64url'),
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
      },
    }),
  );
}

/** The Ed25519 pair of a word (RFC 8410 7). */
export function ed25519(word: string): KeyPair {
  const key = sequence(smallInteger(0), sequence(oid(OID.ed25519)), octetString(octetString(digest(word))));
  return pairOf(createPrivateKey({ format: 'der', type: 'pkcs8', key }));
}

/** An RSA pair of two Mersenne primes, 3,482 bits. */
export function mersenneRsa(): KeyPair {
  const [p, q, e] = [2n ** 2203n - 1n, 2n ** 1279n - 1n, 65537n];
  const d = inverse(e, (p - 1n) * (q - 1n));
  const numbers = [0n, p * q, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
  const key = sequence(...numbers.map((number) => unsignedInteger(bytesOf(number))));
  return pairOf(createPrivateKey({ format: 'der', type: 'pkcs1', key }));
}

/** A signature of the pair of that word, in DER, its nonce made from the data. RSA and Ed25519 are the same each time anyway. */
export function signP256(word: string, data: Uint8Array): Buffer {
  const nonce = digest(`${word}${Buffer.from(data).toString('hex')}`);
  const [k, d, z] = [nonce, digest(word), createHash('sha256').update(data).digest()].map(numberOf) as [
    bigint,
    bigint,
    bigint,
  ];
  const r = numberOf(pointOf(nonce).subarray(1, 33)) % ORDER;
  const s = (inverse(k, ORDER) * (z + r * d)) % ORDER;
  return sequence(unsignedInteger(bytesOf(r)), unsignedInteger(bytesOf(s)));
}

export function signEd25519(word: string, data: Uint8Array): Buffer {
  return sign(null, data, ed25519(word).privateKey);
}

function pairOf(privateKey: KeyObject): KeyPair {
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function digest(word: string): Buffer {
  return createHash('sha256').update(`kedge ${word}`).digest();
}

/** `scalar` times the base point, uncompressed. */
function pointOf(scalar: Buffer): Buffer {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  return curve.getPublicKey();
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function bytesOf(number: bigint): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

/** The inverse of `a` modulo `m` by Euclid. */
function inverse(a: bigint, m: bigint): bigint {
  let [r, next, t, nextT] = [m, a % m, 0n, 1n];
  while (next !== 0n) {
    const quotient = r / next;
    [r, next] = [next, r - quotient * next];
    [t, nextT] = [nextT, t - quotient * nextT];
  }
  return ((t % m) + m) % m;
}

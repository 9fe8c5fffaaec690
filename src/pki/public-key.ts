import type { KeyObject } from 'node:crypto';
import { createPublicKey, hash, verify } from 'node:crypto';
import { DerReader, TAG, readSequence } from './der.ts';
import { checkNull, readIntegerBytes, readOctetAlignedBits, readOid } from './der-values.ts';
import { pkiErrors } from './errors.ts';
import { OID } from './oids.ts';

/** What a key is, as far as a policy has to know. `unknown` keys can be looked at and refused, never used. */
export type KeyKind = 'EC' | 'RSA' | 'Ed25519' | 'unknown';

const CURVES: Readonly<Record<string, { readonly name: string; readonly bits: number }>> = {
  [OID.p224]: { name: 'P-224', bits: 224 },
  [OID.p256]: { name: 'P-256', bits: 256 },
  [OID.p384]: { name: 'P-384', bits: 384 },
  [OID.p521]: { name: 'P-521', bits: 521 },
};

interface KeyShape {
  readonly kind: KeyKind;
  readonly algorithm: string;
  readonly bits: number;
}

/** A public key as certificates carry it (SubjectPublicKeyInfo, RFC 5280 4.1.2.7). */
export class PublicKey {
  /** The whole SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly kind: KeyKind;
  /** For people and policies: `EC P-256`, `RSA 2048`, `Ed25519`, or what else it was. */
  readonly algorithm: string;
  /** Size of the key: of the curve's field, of the modulus; 0 when unknown. */
  readonly bits: number;
  /** The bits of the key without the algorithm, of which key identifiers are made (RFC 5280 4.2.1.2). */
  readonly keyBits: Buffer;
  #keyObject: KeyObject | undefined;

  private constructor(spki: Buffer, keyBits: Buffer, shape: KeyShape) {
    this.spki = spki;
    this.keyBits = keyBits;
    this.kind = shape.kind;
    this.algorithm = shape.algorithm;
    this.bits = shape.bits;
  }

  /** Reads a SubjectPublicKeyInfo. Throws `der_malformed`. Keys of unknown algorithms are read and marked so. */
  static parse(spki: Uint8Array): PublicKey {
    const reader = readSequence(spki, 'subject public key info');
    const algorithm = reader.inside('key algorithm');
    const oid = readOid(algorithm.element(TAG.oid, 'key algorithm OID'));
    const parameters = algorithm.done ? undefined : algorithm.any();
    if (parameters?.tag === TAG.null) checkNull(parameters);
    algorithm.end();
    const keyBits = readOctetAlignedBits(reader.element(TAG.bitString, 'public key bits'));
    reader.end();
    const shape = shapeOf(oid, parameters?.tag === TAG.oid ? readOid(parameters) : parameters?.tag, keyBits);
    return new PublicKey(Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength), keyBits, shape);
  }

  static of(key: KeyObject): PublicKey {
    const publicKey = key.type === 'private' ? createPublicKey(key) : key;
    return PublicKey.parse(publicKey.export({ type: 'spki', format: 'der' }));
  }

  /** The key for node:crypto, made when first asked for. Throws `key_not_allowed` when OpenSSL cannot use it. */
  get keyObject(): KeyObject {
    try {
      this.#keyObject ??= createPublicKey({ key: this.spki, format: 'der', type: 'spki' });
      return this.#keyObject;
    } catch (cause) {
      throw pkiErrors.error(
        'key_not_allowed',
        `expected a public key that can be used, got ${this.algorithm}`,
        { cause },
      );
    }
  }

  /** SHA-256 of the SubjectPublicKeyInfo in lower-case hex. */
  get fingerprint(): string {
    return hash('sha256', this.spki, 'hex');
  }

  /** Key identifier: SHA-1 of the key bits (RFC 5280 4.2.1.2, method 1). A label, not a security property. */
  get keyId(): Buffer {
    return hash('sha1', this.keyBits, 'buffer');
  }

  equals(other: PublicKey): boolean {
    return this.spki.equals(other.spki);
  }

  /** True when `signature` over `data` was made with this key. `digest` is `undefined` for Ed25519. Unusable keys give false. */
  verify(digest: string | undefined, data: Uint8Array, signature: Uint8Array): boolean {
    try {
      return verify(digest, data, this.keyObject, signature);
    } catch {
      return false;
    }
  }

  /** The same for a key that is used this one time: OpenSSL gets the DER, which costs less than making a key object first. */
  verifyOnce(digest: string | undefined, data: Uint8Array, signature: Uint8Array): boolean {
    try {
      return verify(digest, data, { key: this.spki, format: 'der', type: 'spki' }, signature);
    } catch {
      return false;
    }
  }
}

function shapeOf(oid: string, parameters: string | number | undefined, keyBits: Buffer): KeyShape {
  if (oid === OID.ecPublicKey) return ecShape(parameters, keyBits);
  if (oid === OID.rsaEncryption && parameters === TAG.null) return rsaShape(keyBits);
  if (oid === OID.ed25519 && parameters === undefined && keyBits.length === 32) {
    return { kind: 'Ed25519', algorithm: 'Ed25519', bits: 256 };
  }
  const names: Readonly<Record<string, string>> = {
    [OID.rsaPss]: 'RSA-PSS',
    [OID.ed448]: 'Ed448',
    [OID.ed25519]: 'Ed25519 with parameters',
    [OID.rsaEncryption]: 'RSA without NULL parameters',
  };
  return { kind: 'unknown', algorithm: names[oid] ?? `algorithm ${oid}`, bits: 0 };
}

function ecShape(parameters: string | number | undefined, keyBits: Buffer): KeyShape {
  const curve = typeof parameters === 'string' ? CURVES[parameters] : undefined;
  if (curve === undefined) {
    const named = typeof parameters === 'string' ? `curve ${parameters}` : 'explicit parameters';
    return { kind: 'unknown', algorithm: `EC ${named}`, bits: 0 };
  }
  // Compressed points are legal (RFC 5480 2.2), but rustls takes uncompressed ones only.
  const uncompressed = keyBits[0] === 4 && keyBits.length === 1 + 2 * Math.ceil(curve.bits / 8);
  if (!uncompressed) return { kind: 'unknown', algorithm: `EC ${curve.name} compressed or cut`, bits: 0 };
  return { kind: 'EC', algorithm: `EC ${curve.name}`, bits: curve.bits };
}

function rsaShape(keyBits: Buffer): KeyShape {
  const outer = new DerReader(keyBits, 'RSA public key');
  const reader = outer.inside('RSA public key');
  outer.end();
  const modulus = readIntegerBytes(reader.element(TAG.integer, 'modulus'));
  const exponent = readIntegerBytes(reader.element(TAG.integer, 'exponent'));
  reader.end();
  const top = modulus[0] === 0 ? 1 : 0;
  const bits = (modulus.length - top) * 8 - Math.clz32(modulus[top] ?? 0) + 24;
  // OpenSSL's work grows with the exponent: nothing honest has one above 32 bits.
  if ((modulus[0] ?? 0x80) >= 0x80 || bits <= 0 || exponent.length > 5)
    return { kind: 'unknown', algorithm: 'bad RSA', bits: 0 };
  return { kind: 'RSA', algorithm: `RSA ${bits}`, bits };
}

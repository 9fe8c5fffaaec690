import type { KeyObject } from 'node:crypto';
import { constants, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { TAG, context } from '../../src/pki/der.ts';
import {
  bitString,
  boolean,
  namedBits,
  octetString,
  oid,
  sequence,
  smallInteger,
  text,
  time,
  tlv,
  unsignedInteger,
} from '../../src/pki/der-writer.ts';
import { GENERAL_NAME } from '../../src/pki/general-names.ts';
import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signingAlgorithm } from '../../src/pki/signature-algorithm.ts';

export type TestKeyType = 'P-256' | 'P-384' | 'P-521' | 'P-224' | 'Ed25519' | 'RSA' | 'RSA-1024';

/** How to sign; `auto` is what the CA's key calls for, the others are wrong in one way each. */
export type TestSignature = 'auto' | 'rsa-pss' | 'md5' | 'sha1' | 'sha384' | 'sha512' | 'garbage';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function testKeyPair(type: TestKeyType = 'P-256'): KeyPair {
  if (type === 'Ed25519') return generateKeyPairSync('ed25519');
  if (type === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (type === 'RSA-1024') return generateKeyPairSync('rsa', { modulusLength: 1024 });
  return generateKeyPairSync('ec', { namedCurve: type });
}

/** A certificate to build, with nothing checked: what is wrong in it is wrong on purpose. */
export interface CertificateSpec {
  readonly issuerName: Buffer;
  readonly issuerKey: KeyObject;
  readonly subjectName: Buffer;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
  readonly signature?: TestSignature;
  readonly serial?: Buffer;
  /** `[0] EXPLICIT` version, an empty buffer for version 1. */
  readonly version?: Buffer;
  /** A whole `[1]` or `[2]` behind the key (RFC 5280 4.1.2.8). */
  readonly uniqueIdentifier?: Buffer;
  /** The algorithm inside, when it shall differ from the one outside. */
  readonly innerAlgorithm?: Buffer;
}

export function buildCertificate(spec: CertificateSpec): Buffer {
  const how = signatureOf(spec.issuerKey, spec.signature ?? 'auto');
  const tbs = sequence(
    spec.version ?? tlv(context(0, true), smallInteger(2)),
    spec.serial ?? unsignedInteger(randomBytes(16)),
    spec.innerAlgorithm ?? how.algorithm,
    spec.issuerName,
    sequence(time(spec.notBefore), time(spec.notAfter)),
    spec.subjectName,
    PublicKey.of(spec.publicKey).spki,
    spec.uniqueIdentifier ?? Buffer.alloc(0),
    spec.extensions.length > 0 ? tlv(context(3, true), sequence(...spec.extensions)) : Buffer.alloc(0),
  );
  return sequence(tbs, how.algorithm, bitString(how.sign(tbs)));
}

interface SignatureWay {
  readonly algorithm: Buffer;
  sign(data: Buffer): Buffer;
}

/** The algorithm identifier for a key and the way to sign so; requests are signed like this too. */
export function signatureOf(key: KeyObject, signature: TestSignature): SignatureWay {
  const rsa = key.asymmetricKeyType === 'rsa';
  const by = (dotted: string, digest: string): SignatureWay => ({
    algorithm: sequence(oid(dotted), ...(rsa ? [tlv(TAG.null)] : [])),
    sign: (data) => sign(digest, data, key),
  });
  switch (signature) {
    case 'rsa-pss':
      return { algorithm: pssAlgorithm(), sign: (data) => sign('sha256', data, { key, ...PSS }) };
    case 'md5':
      return by('1.2.840.113549.1.1.4', 'md5');
    case 'sha1':
      return by(rsa ? '1.2.840.113549.1.1.5' : '1.2.840.10045.4.1', 'sha1');
    case 'sha384':
      return by(rsa ? OID.rsaSha384 : OID.ecdsaSha384, 'sha384');
    case 'sha512':
      return by(rsa ? OID.rsaSha512 : OID.ecdsaSha512, 'sha512');
    case 'garbage':
      return { ...signatureOf(key, 'auto'), sign: () => randomBytes(64) };
    case 'auto': {
      const curve = key.asymmetricKeyDetails?.namedCurve;
      if (curve === 'secp224r1' || curve === 'secp521r1') return by(OID.ecdsaSha256, 'sha256');
      const algorithm = signingAlgorithm(PublicKey.of(key));
      return { algorithm: algorithm.der, sign: (data) => sign(algorithm.digest, data, key) };
    }
  }
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 octets of salt (RFC 4055 3.1). */
function pssAlgorithm(): Buffer {
  const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'), tlv(TAG.null));
  const mgf1 = sequence(oid('1.2.840.113549.1.1.8'), sha256);
  return sequence(
    oid(OID.rsaPss),
    sequence(
      tlv(context(0, true), sha256),
      tlv(context(1, true), mgf1),
      tlv(context(2, true), smallInteger(PSS.saltLength)),
    ),
  );
}

/** Any extension, right or wrong. */
export function extension(dotted: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));
}

export function basicConstraints(isCa: boolean, pathLength?: number): Buffer {
  const parts = isCa ? [boolean(true)] : [];
  if (pathLength !== undefined) parts.push(smallInteger(pathLength));
  return extension(OID.basicConstraints, true, sequence(...parts));
}

/** Key usage by bit: digitalSignature 0, keyEncipherment 2, keyCertSign 5, cRLSign 6. */
export function keyUsage(...bits: number[]): Buffer {
  return extension(OID.keyUsage, true, namedBits(...bits));
}

export function extendedKeyUsage(...purposes: string[]): Buffer {
  return extension(OID.extendedKeyUsage, false, sequence(...purposes.map(oid)));
}

/** Alternative names, each given as a whole GeneralName. */
export function subjectAltName(critical: boolean, ...names: Buffer[]): Buffer {
  return extension(OID.subjectAltName, critical, sequence(...names));
}

export const generalName = {
  dns: (name: string): Buffer => text(GENERAL_NAME.dns, name),
  uri: (uri: string): Buffer => text(GENERAL_NAME.uri, uri),
  email: (address: string): Buffer => text(GENERAL_NAME.email, address),
  ip: (...octets: number[]): Buffer => tlv(GENERAL_NAME.ip, Buffer.from(octets)),
  directory: (name: Buffer): Buffer => tlv(GENERAL_NAME.directory, name),
};

export interface Subtrees {
  readonly permitted?: readonly Buffer[] | undefined;
  readonly excluded?: readonly Buffer[] | undefined;
}

/** Name constraints from whole GeneralNames. */
export function nameConstraints(critical: boolean, { permitted = [], excluded = [] }: Subtrees): Buffer {
  const subtrees = (number: number, names: readonly Buffer[]): Buffer[] =>
    names.length === 0 ? [] : [tlv(context(number, true), ...names.map((name) => sequence(name)))];
  return extension(
    OID.nameConstraints,
    critical,
    sequence(...subtrees(0, permitted), ...subtrees(1, excluded)),
  );
}

/** An extension nobody knows. */
export function unknownExtension(critical: boolean): Buffer {
  return extension('1.3.6.1.4.1.55555.1.1', critical, text(TAG.utf8String, 'unknown'));
}

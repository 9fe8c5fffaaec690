import { hash } from 'node:crypto';
import { isAppError } from '../runtime/errors.ts';
import type { DerElement, DerReader } from './der.ts';
import { TAG, context, readSequence } from './der.ts';
import {
  readBitString,
  readIntegerBytes,
  readOctetAlignedBits,
  readSmallInteger,
  readTime,
} from './der-values.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { printName, readName } from './distinguished-name.ts';
import { pkiErrors } from './errors.ts';
import type { CertificateExtensions } from './certificate-extensions.ts';
import { readCertificateExtensions } from './certificate-extensions.ts';
import type { KeyUsage } from './extensions.ts';
import type { GeneralNames } from './general-names.ts';
import type { NameConstraints } from './name-constraints.ts';
import { encodePem, parsePem } from './pem.ts';
import { PublicKey } from './public-key.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';
import { readSignatureAlgorithm } from './signature-algorithm.ts';

/** What is under the signature, in the order of RFC 5280 4.1. */
interface Signed {
  readonly serial: Buffer;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly issuer: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKey;
  readonly extensions: CertificateExtensions;
}

/** An X.509 v3 certificate (RFC 5280), read strictly once and never changed. */
export class Certificate {
  readonly der: Buffer;
  /** Serial number in lower-case hex, two digits an octet. */
  readonly serial: string;
  /** First and last second of its validity, both included. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Names as DER: what issuer and subject are matched by. */
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  readonly publicKey: PublicKey;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly #extensions: CertificateExtensions;
  readonly #subject: DistinguishedName;
  readonly #issuer: DistinguishedName;
  readonly #tbs: Buffer;
  readonly #signature: Buffer;
  #signer: PublicKey | undefined;
  #fingerprint: string | undefined;
  #pem: string | undefined;
  #label: string | undefined;

  private constructor(der: Buffer, tbs: Buffer, signature: Buffer, signed: Signed) {
    this.der = der;
    this.#tbs = tbs;
    this.#signature = signature;
    this.serial = signed.serial.toString('hex');
    this.signatureAlgorithm = signed.signatureAlgorithm;
    this.notBefore = signed.notBefore;
    this.notAfter = signed.notAfter;
    this.publicKey = signed.publicKey;
    this.#subject = signed.subject;
    this.#issuer = signed.issuer;
    this.subjectDer = signed.subject.der;
    this.issuerDer = signed.issuer.der;
    this.#extensions = signed.extensions;
  }

  /** Throws `certificate_malformed` for anything but one v3 certificate in strict DER. The bytes are copied. */
  static parse(der: Uint8Array): Certificate {
    try {
      return parseCertificate(Buffer.from(der), (...parts) => new Certificate(...parts));
    } catch (cause) {
      if (!isAppError(cause)) throw cause;
      throw pkiErrors.error('certificate_malformed', `certificate: ${cause.message}`, { cause });
    }
  }

  /** All certificates of a PEM text, in order. Throws `pem_malformed` when there is none or another kind of block. */
  static parsePem(pem: string): Certificate[] {
    const blocks = parsePem(pem);
    const other = blocks.find((block) => block.label !== 'CERTIFICATE');
    if (other !== undefined || blocks.length === 0) {
      throw pkiErrors.error(
        'pem_malformed',
        `expected CERTIFICATE blocks in PEM, got ${other?.label ?? 'none'}`,
      );
    }
    return blocks.map((block) => Certificate.parse(block.der));
  }

  get pem(): string {
    return (this.#pem ??= encodePem('CERTIFICATE', this.der));
  }

  /** SHA-256 of the DER in lower-case hex. */
  get fingerprint(): string {
    return (this.#fingerprint ??= hash('sha256', this.der, 'hex'));
  }

  /** Subject for people, `CN=issuer,O=Example` (RFC 4514); empty for a certificate named by its alternative names only. */
  get subject(): string {
    return printName(this.#subject);
  }

  get issuer(): string {
    return printName(this.#issuer);
  }

  get isCa(): boolean {
    return this.#extensions.isCa;
  }

  /** How many CAs may stand between this one and a leaf; `undefined` when not limited. */
  get pathLength(): number | undefined {
    return this.#extensions.pathLength;
  }

  /** `undefined` when the certificate has no key usage, which allows every one. */
  get keyUsage(): ReadonlySet<KeyUsage> | undefined {
    return this.#extensions.keyUsage;
  }

  /** Dotted OIDs; `undefined` when the certificate has none, which allows every purpose. */
  get extendedKeyUsage(): readonly string[] | undefined {
    return this.#extensions.extendedKeyUsage;
  }

  get sans(): GeneralNames {
    return this.#extensions.sans;
  }

  get nameConstraints(): NameConstraints | undefined {
    return this.#extensions.nameConstraints;
  }

  get subjectKeyId(): Buffer | undefined {
    return this.#extensions.subjectKeyId;
  }

  get authorityKeyId(): Buffer | undefined {
    return this.#extensions.authorityKeyId;
  }

  /** Identifiers of critical extensions that are not understood here: they make a chain invalid. */
  get unknownCriticalExtensions(): readonly string[] {
    return this.#extensions.unknownCritical;
  }

  /** For messages: the subject, or the first alternative name where the subject is empty, and the serial. */
  get label(): string {
    const { dns, uri } = this.sans;
    this.#label ??= `${this.subject || (dns[0] ?? uri[0] ?? 'without a name')} (serial ${this.serial})`;
    return this.#label;
  }

  equals(other: Certificate): boolean {
    return this.der.equals(other.der);
  }

  /** True when the signature verifies with this key and fits it in kind. Says nothing about whether it may sign. */
  isSignedBy(key: PublicKey): boolean {
    // Neither of the two ever changes, so a signature that was found good stays so: CAs are asked about with every leaf.
    if (this.#signer === key) return true;
    const { kind, digest } = this.signatureAlgorithm;
    const good = kind !== undefined && kind === key.kind && key.verify(digest, this.#tbs, this.#signature);
    if (good) this.#signer = key;
    return good;
  }
}

type Make = (der: Buffer, tbs: Buffer, signature: Buffer, signed: Signed) => Certificate;

function parseCertificate(der: Buffer, make: Make): Certificate {
  const outer = readSequence(der, 'certificate');
  const tbs = outer.element(TAG.sequence, 'signed part');
  const outerAlgorithm = readSignatureAlgorithm(outer);
  const signature = readOctetAlignedBits(outer.element(TAG.bitString, 'signature'));
  outer.end();
  const signed = readSigned(outer.into(tbs, 'signed part'));
  if (!signed.signatureAlgorithm.der.equals(outerAlgorithm.der)) {
    throw pkiErrors.error(
      'certificate_malformed',
      `expected one signature algorithm inside and outside, got ${signed.signatureAlgorithm.name} and ${outerAlgorithm.name}`,
    );
  }
  return make(der, tbs.tlv, signature, signed);
}

function readSigned(reader: DerReader): Signed {
  checkVersion(reader);
  const serial = readSerial(reader);
  const signatureAlgorithm = readSignatureAlgorithm(reader);
  const issuer = readName(reader, 'issuer');
  if (issuer.rdns.length === 0)
    throw pkiErrors.error('certificate_malformed', 'expected an issuer name, got an empty one');
  const validity = reader.inside('validity');
  const notBefore = readTime(validity.any());
  const notAfter = readTime(validity.any());
  validity.end();
  const subject = readName(reader, 'subject');
  const publicKey = PublicKey.parse(reader.element(TAG.sequence, 'subject public key info').tlv);
  // Unique identifiers (RFC 5280 4.1.2.8) mean nothing to anyone, but are legal.
  skipUniqueIdentifier(reader.optional(context(1, false)));
  skipUniqueIdentifier(reader.optional(context(2, false)));
  const extensions = readCertificateExtensions(reader);
  reader.end();
  return { serial, signatureAlgorithm, issuer, notBefore, notAfter, subject, publicKey, extensions };
}

function skipUniqueIdentifier(identifier: DerElement | undefined): void {
  if (identifier !== undefined) readBitString(identifier);
}

function checkVersion(reader: DerReader): void {
  const wrapped = reader.optional(context(0, true));
  if (wrapped === undefined)
    throw pkiErrors.error('certificate_malformed', 'expected version 3, got version 1');
  const inner = reader.into(wrapped, 'version');
  const version = readSmallInteger(inner.element(TAG.integer, 'version'));
  inner.end();
  if (version !== 2)
    throw pkiErrors.error('certificate_malformed', `expected version 3, got version ${version + 1}`);
}

/** At most 20 octets (RFC 5280 4.1.2.2) and not negative; zero is tolerated, as that section asks of readers. */
function readSerial(reader: DerReader): Buffer {
  const bytes = readIntegerBytes(reader.element(TAG.integer, 'serial number'));
  if (bytes.length > 20 || (bytes[0] ?? 0) >= 0x80) {
    throw pkiErrors.error(
      'certificate_malformed',
      `expected a serial number of at most 20 octets that is not negative, got ${bytes.length} octets`,
    );
  }
  return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

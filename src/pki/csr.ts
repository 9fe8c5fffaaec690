import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { isAppError } from '../runtime/errors.ts';
import type { CsrAttributes } from './csr-attributes.ts';
import { readCsrAttributes } from './csr-attributes.ts';
import type { DerReader } from './der.ts';
import { TAG, context, readSequence } from './der.ts';
import { readOctetAlignedBits, readSmallInteger } from './der-values.ts';
import { bitString, octetString, oid, sequence, setOf, smallInteger, text, tlv } from './der-writer.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { commonNameOf, encodeName, printName, readName } from './distinguished-name.ts';
import { pkiErrors } from './errors.ts';
import type { GeneralNames } from './general-names.ts';
import { GENERAL_NAME } from './general-names.ts';
import { OID } from './oids.ts';
import { PublicKey } from './public-key.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';
import { readSignatureAlgorithm, signingAlgorithm } from './signature-algorithm.ts';

/** An honest request is about 400 bytes; one with an RSA key and long names stays far below this. */
export const MAX_CSR_BYTES = 16 * 1024;

/** Verification work grows with the square of an RSA modulus. */
const MAX_RSA_BITS = 8192;

/**
 * A certificate signing request (PKCS #10, RFC 2986), read strictly. Reading judges form only: what it asks for is
 * all here, for a policy to accept or refuse, and `verifySignature` is for that policy to call.
 */
export class Csr {
  readonly der: Buffer;
  readonly publicKey: PublicKey;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly #subject: DistinguishedName;
  readonly #attributes: CsrAttributes;
  readonly #signed: Buffer;
  readonly #signature: Buffer;

  private constructor(der: Buffer, parts: CsrParts) {
    this.der = der;
    this.publicKey = parts.publicKey;
    this.signatureAlgorithm = parts.signatureAlgorithm;
    this.#subject = parts.subject;
    this.#attributes = parts.attributes;
    this.#signed = parts.signed;
    this.#signature = parts.signature;
  }

  /** Throws `csr_too_large` or `csr_malformed`. Any key algorithm is read, so that a refusal can name it. The bytes are copied. */
  static parse(der: Uint8Array): Csr {
    if (der.length > MAX_CSR_BYTES) {
      throw pkiErrors.error(
        'csr_too_large',
        `expected a signing request of at most ${MAX_CSR_BYTES} bytes, got ${der.length}`,
      );
    }
    try {
      const copy = Buffer.from(der);
      return new Csr(copy, readCsr(copy));
    } catch (cause) {
      if (!isAppError(cause)) throw cause;
      throw pkiErrors.error('csr_malformed', `signing request: ${cause.message}`, { cause });
    }
  }

  /** Subject for people; empty when there is none. */
  get subject(): string {
    return printName(this.#subject);
  }

  get commonName(): string | undefined {
    return commonNameOf(this.#subject);
  }

  /** Relative names in the subject; one for a bare common name. */
  get subjectRdnCount(): number {
    return this.#subject.rdns.length;
  }

  /** Types of all attributes of the subject (`CN`, `O`, ...), in order. */
  get subjectTypes(): string[] {
    return this.#subject.rdns.flat().map((attribute) => attribute.type);
  }

  get sans(): GeneralNames {
    return this.#attributes.sans;
  }

  /** Identifiers of the extensions asked for, in order, duplicates included. */
  get extensionOids(): readonly string[] {
    return this.#attributes.extensionOids;
  }

  /** Identifiers of the attributes, in order, duplicates included; an honest request has the extension request only. */
  get attributeOids(): readonly string[] {
    return this.#attributes.attributeOids;
  }

  /** Identifiers of attributes other than the extension request. */
  get unknownAttributes(): readonly string[] {
    return this.attributeOids.filter((each) => each !== OID.extensionRequest);
  }

  /** The first identifier of an attribute or extension that stands twice. */
  get duplicate(): string | undefined {
    return [this.attributeOids, this.extensionOids]
      .map((oids) => oids.find((each, index) => oids.indexOf(each) !== index))
      .find((each) => each !== undefined);
  }

  /** True when basic constraints with CA:TRUE are asked for. */
  get asksForCa(): boolean {
    return this.#attributes.asksForCa;
  }

  /**
   * True when the request is signed with the key it carries. False for a wrong signature and for algorithms that are
   * never accepted (SHA-1, RSA-PSS, unknown ones, RSA keys too large to work with).
   */
  verifySignature(): boolean {
    const { kind, digest } = this.signatureAlgorithm;
    if (kind === undefined || kind !== this.publicKey.kind) return false;
    if (kind === 'RSA' && this.publicKey.bits > MAX_RSA_BITS) return false;
    return this.publicKey.verifyOnce(digest, this.#signed, this.#signature);
  }
}

interface CsrParts {
  readonly subject: DistinguishedName;
  readonly publicKey: PublicKey;
  readonly attributes: CsrAttributes;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function readCsr(der: Buffer): CsrParts {
  const outer = readSequence(der, 'request');
  const info = outer.element(TAG.sequence, 'request info');
  const signatureAlgorithm = readSignatureAlgorithm(outer);
  const signature = readOctetAlignedBits(outer.element(TAG.bitString, 'signature'));
  outer.end();
  const inner = outer.into(info, 'request info');
  checkVersion(inner);
  const subject = readName(inner, 'subject');
  const publicKey = PublicKey.parse(inner.element(TAG.sequence, 'subject public key info').tlv);
  const attributes = readCsrAttributes(inner.inside('attributes', context(0, true)));
  inner.end();
  return { subject, publicKey, attributes, signatureAlgorithm, signed: info.tlv, signature };
}

function checkVersion(reader: DerReader): void {
  const version = readSmallInteger(reader.element(TAG.integer, 'version'));
  if (version !== 0) throw pkiErrors.error('der_malformed', `expected version 1, got version ${version + 1}`);
}

/**
 * Makes a request for one DNS name, and a URI where the identity service gives both (design of the mesh: DNS first).
 * The subject is empty: the names are the alternative names. Throws `key_not_allowed` for a key that cannot sign.
 */
export function createCsr(options: { key: KeyObject; dnsName: string; uri?: string }): Buffer {
  const publicKey = PublicKey.of(options.key);
  const names = [text(GENERAL_NAME.dns, options.dnsName)];
  if (options.uri !== undefined) names.push(text(GENERAL_NAME.uri, options.uri));
  const san = sequence(oid(OID.subjectAltName), octetString(sequence(...names)));
  const request = sequence(oid(OID.extensionRequest), setOf(sequence(san)));
  const info = sequence(smallInteger(0), encodeName(), publicKey.spki, tlv(context(0, true), request));
  const algorithm = signingAlgorithm(publicKey);
  return sequence(info, algorithm.der, bitString(sign(algorithm.digest, info, options.key)));
}

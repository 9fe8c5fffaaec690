import type { DerElement } from './der.ts';
import { DerReader, TAG, context, readSequence } from './der.ts';
import { readBoolean, readNamedBits, readOid, readSmallInteger } from './der-values.ts';
import { pkiErrors } from './errors.ts';
import type { GeneralNames } from './general-names.ts';
import { readGeneralNames } from './general-names.ts';

/** An extension as it was written: `value` is what is inside its OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Names of key usage bits in order (RFC 5280 4.2.1.3). */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

const MAX_EXTENSIONS = 64;

/** Beyond one octet rustls does not read it, and no path is as long. */
const MAX_PATH_LENGTH = 255;

/** Reads Extensions (RFC 5280 4.1): the elements inside the SEQUENCE. Duplicates are kept, for the caller to judge. */
export function readExtensions(reader: DerReader): Extension[] {
  const extensions: Extension[] = [];
  while (!reader.done) {
    if (extensions.length === MAX_EXTENSIONS) {
      throw pkiErrors.error(
        'der_malformed',
        `${reader.what}: expected at most ${MAX_EXTENSIONS} extensions, got more`,
      );
    }
    const extension = reader.inside('extension');
    const oid = readOid(extension.element(TAG.oid, 'extension OID'));
    const flag = extension.optional(TAG.boolean);
    const critical = flag !== undefined && readBoolean(flag);
    if (flag !== undefined && !critical)
      throw pkiErrors.error(
        'der_malformed',
        'critical: expected FALSE left out (X.690 11.5), got it written',
      );
    const { content: value } = extension.element(TAG.octetString, 'extension value');
    extension.end();
    extensions.push({ oid, critical, value });
  }
  return extensions;
}

/** The first extension identifier that occurs twice (forbidden, RFC 5280 4.2). */
export function duplicateOid(extensions: readonly Extension[]): string | undefined {
  const seen = new Set<string>();
  return extensions.find(({ oid }) => seen.size === seen.add(oid).size)?.oid;
}

export interface BasicConstraints {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
}

/** BasicConstraints (RFC 5280 4.2.1.9); a path length without the CA flag is refused. */
export function readBasicConstraints(value: Buffer): BasicConstraints {
  const reader = readSequence(value, 'basic constraints');
  const flag = reader.optional(TAG.boolean);
  const isCa = flag !== undefined && readBoolean(flag);
  if (flag !== undefined && !isCa)
    throw pkiErrors.error(
      'der_malformed',
      'basic constraints: expected FALSE left out (X.690 11.5), got it written',
    );
  const length = reader.optional(TAG.integer);
  reader.end();
  if (length !== undefined && !isCa) {
    throw pkiErrors.error(
      'der_malformed',
      'basic constraints: expected a path length on CAs only, got one without the CA flag',
    );
  }
  const pathLength = length === undefined ? undefined : readSmallInteger(length);
  if (pathLength !== undefined && pathLength > MAX_PATH_LENGTH) {
    throw pkiErrors.error(
      'der_malformed',
      `basic constraints: expected a path length of at most ${MAX_PATH_LENGTH}, got ${pathLength}`,
    );
  }
  return { isCa, pathLength };
}

/** KeyUsage as a set of names; at least one bit, none beyond the nine defined. */
export function readKeyUsage(value: Buffer): Set<KeyUsage> {
  const bits = readNamedBits(readOnly(value, TAG.bitString, 'key usage'));
  const usages = new Set(bits.flatMap((bit) => KEY_USAGES[bit] ?? []));
  if (usages.size === 0 || usages.size < bits.length) {
    throw pkiErrors.error(
      'der_malformed',
      `key usage: expected one or more of the nine usages, got bits ${bits.join(', ') || 'none'}`,
    );
  }
  return usages;
}

/** ExtendedKeyUsage as dotted OIDs, at least one. */
export function readExtendedKeyUsage(value: Buffer): string[] {
  const reader = readSequence(value, 'extended key usage');
  const oids: string[] = [];
  while (!reader.done) oids.push(readOid(reader.element(TAG.oid, 'key purpose')));
  if (oids.length === 0)
    throw pkiErrors.error('der_malformed', 'extended key usage: expected a purpose, got none');
  return oids;
}

export function readSubjectAltName(value: Buffer): GeneralNames {
  return readGeneralNames(readSequence(value, 'subject alternative name'));
}

export function readSubjectKeyId(value: Buffer): Buffer {
  return readOnly(value, TAG.octetString, 'subject key identifier').content;
}

/** The key identifier inside AuthorityKeyIdentifier, when it carries one; issuer and serial in it are not used. */
export function readAuthorityKeyId(value: Buffer): Buffer | undefined {
  const reader = readSequence(value, 'authority key identifier');
  const keyId = reader.optional(context(0, false))?.content;
  reader.optional(context(1, true));
  reader.optional(context(2, false));
  reader.end();
  return keyId;
}

/** Reads a value that is one element of this tag and nothing behind it. */
export function readOnly(value: Buffer, tag: number, what: string): DerElement {
  const reader = new DerReader(value, what);
  const element = reader.element(tag, what);
  reader.end();
  return element;
}

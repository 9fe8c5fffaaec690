import type { DerElement, DerReader } from './der.ts';
import { TAG } from './der.ts';
import { checkSetOrder, readOid } from './der-values.ts';
import { oid, sequence, setOf, text } from './der-writer.ts';
import { pkiErrors } from './errors.ts';
import { OID } from './oids.ts';

/** One part of a name: `{type: 'CN', value: 'root', isText: true}`; types without a short name stay dotted. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
  /** False for a value of another type than text, which stands as `#` and its hex (RFC 4514 2.4). */
  readonly isText: boolean;
}

/** An X.501 name: its DER, by which names are compared, and its relative names, each with one attribute as a rule. */
export interface DistinguishedName {
  readonly der: Buffer;
  readonly rdns: readonly (readonly NameAttribute[])[];
}

/** Short names of RFC 4514 3 and the others seen on CAs. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  [OID.commonName]: 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
};

/** More relative names than any subject has. */
const MAX_RDNS = 32;

/** Reads the next element as a Name (RFC 5280 4.1.2.4). */
export function readName(reader: DerReader, what: string): DistinguishedName {
  const element = reader.element(TAG.sequence, what);
  const rdns: NameAttribute[][] = [];
  const sets = reader.into(element, what);
  while (!sets.done) {
    if (rdns.length === MAX_RDNS)
      throw pkiErrors.error('der_malformed', `${what}: expected at most ${MAX_RDNS} parts, got more`);
    rdns.push(readRdn(sets.inside(`${what} part`, TAG.set)));
  }
  return { der: element.tlv, rdns };
}

/** The common name, the last one where there are several; `undefined` without any. */
export function commonNameOf(name: DistinguishedName): string | undefined {
  return name.rdns.flat().findLast((attribute) => attribute.type === 'CN')?.value;
}

/** `CN=issuer,O=Example`, most specific part first (RFC 4514 2). Safe to print: control characters are escaped. */
export function printName(name: DistinguishedName): string {
  return name.rdns
    .toReversed()
    .map((rdn) =>
      rdn.map(({ type, value, isText }) => `${type}=${isText ? escapeValue(value) : value}`).join('+'),
    )
    .join(',');
}

/** DER of a name with one common name; the empty name without. */
export function encodeName(commonName?: string): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(setOf(sequence(oid(OID.commonName), text(TAG.utf8String, commonName))));
}

function readRdn(set: DerReader): NameAttribute[] {
  const elements: DerElement[] = [];
  const attributes: NameAttribute[] = [];
  while (!set.done) {
    const element = set.element(TAG.sequence, 'attribute');
    const attribute = set.into(element, 'attribute');
    const type = readOid(attribute.element(TAG.oid, 'attribute type'));
    const value = attribute.any();
    const text = readString(value);
    attributes.push({
      type: SHORT_NAMES[type] ?? type,
      value: text ?? `#${value.tlv.toString('hex')}`,
      isText: text !== undefined,
    });
    attribute.end();
    elements.push(element);
  }
  if (attributes.length === 0)
    throw pkiErrors.error('der_malformed', `${set.what}: expected an attribute, got none`);
  checkSetOrder(elements);
  return attributes;
}

/** Text of any DirectoryString (RFC 5280 4.1.2.4); undefined for a value of another type. */
function readString({ tag, content }: DerElement): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return decodeUtf8(content);
    case TAG.printableString:
    case TAG.ia5String:
      if (content.some((byte) => byte >= 0x80))
        throw pkiErrors.error('der_malformed', 'expected ASCII text, got other bytes');
      return content.toString('latin1');
    case TAG.teletexString:
      return content.toString('latin1');
    case TAG.bmpString:
      if (content.length % 2 !== 0)
        throw pkiErrors.error('der_malformed', 'expected two bytes a character, got half a character');
      return Buffer.from(content).swap16().toString('utf16le');
    default:
      return undefined;
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw pkiErrors.error('der_malformed', 'expected UTF-8 text, got other bytes', { cause });
  }
}

function escapeValue(value: string): string {
  return value
    .replace(/[\\,+"<>;=]|^[ #]| $/g, (character) => `\\${character}`)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
      [...Buffer.from(character, 'utf8')].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
    );
}

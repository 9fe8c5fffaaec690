import type { DerElement } from './der.ts';
import { TAG } from './der.ts';
import { pkiErrors } from './errors.ts';

function malformed(expected: string, got: string): never {
  throw pkiErrors.error('der_malformed', `expected ${expected}, got ${got}`);
}

/** BOOLEAN: DER writes TRUE as ff and FALSE as 00 (X.690 11.1). */
export function readBoolean(element: DerElement): boolean {
  const { content } = element;
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    malformed(
      'a BOOLEAN of one byte, 00 or ff',
      `${content.length} bytes ${content.subarray(0, 4).toString('hex')}`,
    );
  }
  return content[0] === 0xff;
}

/** NULL, which has no content (X.690 8.8.2). */
export function checkNull({ content }: DerElement): void {
  if (content.length > 0) malformed('a NULL without content', `${content.length} bytes`);
}

/** Content of an INTEGER after the check that it is in its shortest form (X.690 8.3.2); big-endian two's complement. */
export function readIntegerBytes(element: DerElement): Buffer {
  const { content } = element;
  const [first, second] = content;
  if (first === undefined) malformed('an INTEGER of at least one byte', 'none');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    malformed('the shortest form of the INTEGER', `a leading ${first === 0 ? '00' : 'ff'}`);
  }
  return content;
}

/** A small INTEGER that is not negative: versions, path lengths. */
export function readSmallInteger(element: DerElement): number {
  const bytes = readIntegerBytes(element);
  if ((bytes[0] ?? 0) >= 0x80) malformed('an INTEGER that is not negative', 'a negative one');
  if (bytes.length > 4) malformed('an INTEGER of at most 4 bytes', `${bytes.length} bytes`);
  return bytes.readUIntBE(0, bytes.length);
}

/** Bits of a BIT STRING, the count of unused ones checked and those bits zero (X.690 11.2.1). */
export function readBitString(element: DerElement): { readonly bytes: Buffer; readonly unused: number } {
  const { content } = element;
  const unused = content[0];
  if (unused === undefined) malformed('a BIT STRING with its count of unused bits', 'nothing');
  const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
  if (unused > 7 || (content.length === 1 && unused !== 0)) {
    malformed('at most 7 unused bits in a BIT STRING', `${unused} in ${content.length - 1} bytes`);
  }
  if ((last & ((1 << unused) - 1)) !== 0) malformed('unused bits of a BIT STRING to be zero', 'a one');
  return { bytes: content.subarray(1), unused };
}

/** Bytes of a BIT STRING that holds whole bytes: keys and signatures. */
export function readOctetAlignedBits(element: DerElement): Buffer {
  const { bytes, unused } = readBitString(element);
  if (unused !== 0) malformed('a BIT STRING of whole bytes', `${unused} unused bits`);
  return bytes;
}

/** Positions of the ones in a BIT STRING of named bits, in order; DER drops trailing zeros (X.690 11.2.2). */
export function readNamedBits(element: DerElement): number[] {
  const { bytes, unused } = readBitString(element);
  const set: number[] = [];
  for (let i = 0; i < bytes.length * 8; i++) {
    if (((bytes[i >> 3] ?? 0) & (0x80 >> (i & 7))) !== 0) set.push(i);
  }
  if (bytes.length > 0 && set.at(-1) !== bytes.length * 8 - unused - 1) {
    malformed('named bits without trailing zeros', `${bytes.length * 8 - unused} bits`);
  }
  return set;
}

/** OBJECT IDENTIFIER in dotted form; arcs in their shortest form, at most 2^48 each (X.690 8.19). */
export function readOid(element: DerElement): string {
  const { content } = element;
  if (content.length === 0 || content.length > 64 || (content.at(-1) ?? 0x80) >= 0x80) {
    malformed('an OBJECT IDENTIFIER of 1 to 64 bytes that ends with its last arc', `${content.length} bytes`);
  }
  let dotted = '';
  let arc = 0;
  let atStart = true;
  for (const byte of content) {
    if (atStart && byte === 0x80) malformed('the shortest form of an arc', 'a leading 80');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 2 ** 48) malformed('arcs of an OBJECT IDENTIFIER of at most 2^48', 'a larger one');
    atStart = byte < 0x80;
    if (!atStart) continue;
    dotted += dotted === '' ? firstArcs(arc) : `.${arc}`;
    arc = 0;
  }
  return dotted;
}

/** The first two arcs share a number: 40 times the one, which is 0, 1 or 2, plus the other. */
function firstArcs(both: number): string {
  const top = Math.min(Math.floor(both / 40), 2);
  return `${top}.${both - top * 40}`;
}

/** Elements of a SET OF: DER sorts their encodings (X.690 11.6). */
export function checkSetOrder(elements: readonly DerElement[]): void {
  for (let i = 1; i < elements.length; i++) {
    const [before, after] = [elements[i - 1], elements[i]];
    if (before && after && Buffer.compare(before.tlv, after.tlv) > 0)
      malformed('a SET OF in ascending order', 'another order');
  }
}

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;

/**
 * UTCTime or GeneralizedTime in the one form RFC 5280 4.1.2.5 allows: to the second, in Zulu, nothing more. Not before 1970,
 * which rustls does not read.
 */
export function readTime(element: DerElement): Date {
  const text = fourDigitYear(element);
  const part = (from: number): string => text.slice(from, from + 2);
  const iso = `${text.slice(0, 4)}-${part(4)}-${part(6)}T${part(8)}:${part(10)}:${part(12)}.000Z`;
  const date = new Date(iso);
  // A date that is none, or had to be carried over (31 February, 24:00), does not read back as it was written.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) malformed('a date that exists', text);
  if (date.getTime() < 0) malformed('a date from 1970 on', text);
  return date;
}

/** Text of either time as GeneralizedTime: a UTCTime year of 50 and more lies in the last century. */
function fourDigitYear({ tag, content }: DerElement): string {
  const text = content.toString('latin1');
  if (tag === TAG.utcTime) {
    if (!UTC_TIME.test(text)) malformed('UTCTime YYMMDDHHMMSSZ', `${text.length} other characters`);
    return `${text < '5' ? '20' : '19'}${text}`;
  }
  if (tag !== TAG.generalizedTime) malformed('UTCTime or GeneralizedTime', `tag ${tag}`);
  if (!GENERALIZED_TIME.test(text))
    malformed('GeneralizedTime YYYYMMDDHHMMSSZ', `${text.length} other characters`);
  return text;
}

/** `YYYYMMDDHHMMSSZ`; fractions of a second are dropped. */
export function asGeneralizedTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

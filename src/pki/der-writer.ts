import { TAG } from './der.ts';
import { asGeneralizedTime } from './der-values.ts';

/** One DER element around the given parts, its length in the shortest form. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
  const out = Buffer.allocUnsafe(header + length);
  out[0] = tag;
  if (header === 2) out[1] = length;
  else {
    out[1] = 0x80 | (header - 2);
    out.writeUIntBE(length, 2, header - 2);
  }
  let offset = header;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(TAG.sequence, ...parts);
}

/** SET OF, sorted as DER wants it. */
export function setOf(...parts: readonly Uint8Array[]): Buffer {
  return tlv(TAG.set, ...parts.toSorted((a, b) => Buffer.compare(a, b)));
}

export function octetString(...parts: readonly Uint8Array[]): Buffer {
  return tlv(TAG.octetString, ...parts);
}

const NO_UNUSED_BITS = Buffer.of(0);

/** BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return tlv(TAG.bitString, NO_UNUSED_BITS, bytes);
}

/** BIT STRING of named bits, trailing zeros dropped. */
export function namedBits(...positions: readonly number[]): Buffer {
  const highest = Math.max(-1, ...positions);
  const bytes = Buffer.alloc(Math.ceil((highest + 1) / 8));
  for (const position of positions)
    bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (0x80 >> (position & 7));
  return tlv(TAG.bitString, Buffer.of(bytes.length * 8 - (highest + 1)), bytes);
}

export function boolean(value: boolean): Buffer {
  return tlv(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

/** INTEGER from an unsigned big-endian number: leading zeros dropped, one added where the sign bit would be set. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const first = digits[0];
  if (first === undefined) return tlv(TAG.integer, NO_UNUSED_BITS);
  return first < 0x80 ? tlv(TAG.integer, digits) : tlv(TAG.integer, Buffer.of(0), digits);
}

/** INTEGER from a number of 0 to 2^31-1. */
export function smallInteger(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return unsignedInteger(bytes);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [top = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [top * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128))
      digits.unshift((high % 128) | 0x80);
    bytes.push(...digits);
  }
  return tlv(TAG.oid, Buffer.from(bytes));
}

/** Validity date: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). Cut to the second. */
export function time(date: Date): Buffer {
  const text = asGeneralizedTime(date);
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? tlv(TAG.utcTime, Buffer.from(text.slice(2), 'latin1'))
    : tlv(TAG.generalizedTime, Buffer.from(text, 'latin1'));
}

/** ASCII text under any string tag, context-specific ones included. */
export function text(tag: number, value: string): Buffer {
  return tlv(tag, Buffer.from(value, 'utf8'));
}

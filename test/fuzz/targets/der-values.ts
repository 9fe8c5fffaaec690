import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DerReader, TAG } from '../../../src/pki/der.ts';
import type { DerElement } from '../../../src/pki/der.ts';
import {
  readBitString,
  readBoolean,
  readIntegerBytes,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '../../../src/pki/der-values.ts';
import {
  boolean,
  namedBits,
  oid,
  smallInteger,
  time,
  tlv,
  unsignedInteger,
} from '../../../src/pki/der-writer.ts';
import { changedBytes } from '../mutate/change-bytes.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';

/** Reads an element and writes what it read: the bytes must be the same, or the reader took what is not DER. */
const THERE_AND_BACK: Readonly<Record<number, readonly ((element: DerElement) => Buffer)[]>> = {
  [TAG.boolean]: [(element) => boolean(readBoolean(element))],
  [TAG.integer]: [
    (element) => smallInteger(readSmallInteger(element)),
    (element) => tlv(TAG.integer, readIntegerBytes(element)),
    (element) =>
      (readIntegerBytes(element)[0] ?? 0) < 0x80 ? unsignedInteger(readIntegerBytes(element)) : element.tlv,
  ],
  [TAG.bitString]: [
    (element) => namedBits(...readNamedBits(element)),
    (element) => {
      const { bytes, unused } = readBitString(element);
      return tlv(TAG.bitString, Buffer.of(unused), bytes);
    },
  ],
  [TAG.oid]: [(element) => oid(readOid(element))],
  [TAG.utcTime]: [(element) => time(readTime(element))],
  [TAG.generalizedTime]: [
    (element) => {
      const date = readTime(element);
      // A date before 2050 may stand as GeneralizedTime too, and is written as UTCTime.
      return date.getUTCFullYear() >= 2050 ? time(date) : element.tlv;
    },
  ],
};

const dates = [
  '1970-01-01T00:00:00Z',
  '2026-02-28T23:59:59Z',
  '2049-12-31T23:59:59Z',
  '2055-01-01T00:00:00Z',
];
const samples = [
  boolean(true),
  smallInteger(0),
  smallInteger(2 ** 31 - 1),
  namedBits(0, 8),
  oid('2.999.3'),
  oid(`1.3.${2 ** 40}`),
  ...dates.map((date) => time(new Date(date))),
];

interface Input {
  readonly element: Buffer;
  readonly reader: number;
}

/** A value that is read is written as the same bytes. */
export const derValuesTarget = fuzzTarget<Input>({
  name: 'der-values',
  file: 'pki/der-values.ts',
  inputs: fc.record({
    element: fc.oneof(
      changedBytes(...samples),
      fc
        .tuple(fc.constantFrom(...samples), fc.uint8Array({ maxLength: 10 }))
        .map(([sample, content]) => tlv(sample[0]!, content)),
      fc
        .tuple(
          fc.constantFrom(0x17, 0x18),
          fc.stringMatching(/^(20[2-5]\d|[0-9]{2})[01]\d[0-3]\d[0-2]\d[0-6]\d[0-6]\dZ$/),
        )
        .map(([tag, digits]) => tlv(tag, Buffer.from(digits))),
    ),
    reader: fc.nat(2),
  }),
  check: ({ element, reader }) =>
    readOrRefuse(
      { codes: ['der_malformed'] },
      () => {
        const one = new DerReader(element, 'value').any();
        const readers = THERE_AND_BACK[one.tag] ?? [(value: DerElement) => (readTime(value), value.tlv)];
        return { one, again: readers[reader % readers.length]!(one) };
      },
      ({ one, again }) => assert.deepEqual(again, one.tlv),
    ),
});

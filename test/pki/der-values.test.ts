import fc from 'fast-check';
import type { DerElement } from '../../src/pki/der.ts';
import { DerReader, TAG } from '../../src/pki/der.ts';
import {
  checkSetOrder,
  readBitString,
  readBoolean,
  readIntegerBytes,
  readNamedBits,
  readOctetAlignedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '../../src/pki/der-values.ts';
import {
  boolean,
  namedBits,
  oid,
  setOf,
  smallInteger,
  time,
  tlv,
  unsignedInteger,
} from '../../src/pki/der-writer.ts';
import { refusal } from '../support/refusal.ts';

const element = (der: Buffer): DerElement => new DerReader(der, 'value').any();
const value = (tag: number, hex: string): DerElement => element(tlv(tag, Buffer.from(hex, 'hex')));
const timeOf = (tag: number, text: string): DerElement => element(tlv(tag, Buffer.from(text)));

describe('readBoolean', () => {
  it('reads the two values DER knows', () => {
    expect(readBoolean(element(boolean(true)))).toBe(true);
    expect(readBoolean(element(boolean(false)))).toBe(false);
  });

  it.each(['01', '', 'ffff'])('refuses %j as a truth', (hex) => {
    expect(refusal(() => readBoolean(value(TAG.boolean, hex)))).toMatch(
      /^der_malformed: expected a BOOLEAN of one byte, 00 or ff, got/,
    );
  });
});

describe('readIntegerBytes', () => {
  it.each(['00', '7f', '80', '0080', 'ff7f'])('reads %s', (hex) => {
    expect(readIntegerBytes(value(TAG.integer, hex)).toString('hex')).toBe(hex);
  });

  it.each([
    ['007f', 'the shortest form of the INTEGER, got a leading 00'],
    ['ff80', 'the shortest form of the INTEGER, got a leading ff'],
    ['', 'an INTEGER of at least one byte, got none'],
  ])('refuses %j', (hex, message) => {
    expect(refusal(() => readIntegerBytes(value(TAG.integer, hex)))).toBe(
      `der_malformed: expected ${message}`,
    );
  });

  it('reads any unsigned number the writer wrote', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 170n }), (number) => {
        const hex = number.toString(16);
        const der = unsignedInteger(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
        expect(BigInt(`0x${readIntegerBytes(element(der)).toString('hex')}`)).toBe(number);
      }),
    );
  });
});

describe('readSmallInteger', () => {
  it('reads what the writer wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (number) => {
        expect(readSmallInteger(element(smallInteger(number)))).toBe(number);
      }),
    );
  });

  it('refuses negative and large numbers', () => {
    expect(refusal(() => readSmallInteger(value(TAG.integer, 'ff')))).toBe(
      'der_malformed: expected an INTEGER that is not negative, got a negative one',
    );
    expect(refusal(() => readSmallInteger(value(TAG.integer, '0100000000')))).toBe(
      'der_malformed: expected an INTEGER of at most 4 bytes, got 5 bytes',
    );
  });
});

describe('BIT STRING', () => {
  it.each([
    ['', 'a BIT STRING with its count of unused bits, got nothing'],
    ['08ff', 'at most 7 unused bits in a BIT STRING, got 8 in 1 bytes'],
    ['01', 'at most 7 unused bits in a BIT STRING, got 1 in 0 bytes'],
    ['0401', 'unused bits of a BIT STRING to be zero, got a one'],
  ])('refuses %j', (hex, message) => {
    expect(refusal(() => readBitString(value(TAG.bitString, hex)))).toBe(
      `der_malformed: expected ${message}`,
    );
  });

  it('refuses unused bits where whole bytes are meant', () => {
    expect(refusal(() => readOctetAlignedBits(value(TAG.bitString, '01fe')))).toBe(
      'der_malformed: expected a BIT STRING of whole bytes, got 1 unused bits',
    );
    expect(readOctetAlignedBits(value(TAG.bitString, '00fe')).toString('hex')).toBe('fe');
  });

  it('reads the named bits the writer wrote', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(20)), (positions) => {
        expect(readNamedBits(element(namedBits(...positions)))).toEqual(positions.toSorted((a, b) => a - b));
      }),
    );
  });

  it('refuses named bits with trailing zeros', () => {
    expect(refusal(() => readNamedBits(value(TAG.bitString, '0080')))).toBe(
      'der_malformed: expected named bits without trailing zeros, got 8 bits',
    );
  });
});

describe('readOid', () => {
  it('reads what the writer wrote', () => {
    const arcs = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 47 })), {
      minLength: 1,
      maxLength: 6,
    });
    const top = fc.oneof(fc.tuple(fc.constantFrom(0, 1), fc.nat(39)), fc.tuple(fc.constant(2), fc.nat(500)));
    fc.assert(
      fc.property(top, arcs, (first, rest) => {
        const dotted = [...first, ...rest].join('.');
        expect(readOid(element(oid(dotted)))).toBe(dotted);
      }),
    );
  });

  it.each([
    ['', 'an OBJECT IDENTIFIER of 1 to 64 bytes that ends with its last arc, got 0 bytes'],
    ['2a86', 'an OBJECT IDENTIFIER of 1 to 64 bytes that ends with its last arc, got 2 bytes'],
    ['2a8001', 'the shortest form of an arc, got a leading 80'],
    [`2a${'ff'.repeat(20)}7f`, 'arcs of an OBJECT IDENTIFIER of at most 2^48, got a larger one'],
  ])('refuses %j', (hex, message) => {
    expect(refusal(() => readOid(value(TAG.oid, hex)))).toBe(`der_malformed: expected ${message}`);
  });
});

describe('checkSetOrder', () => {
  it('takes the order the writer gives and refuses the other', () => {
    const set = new DerReader(setOf(smallInteger(9), smallInteger(3)), 'set').inside('set', TAG.set);
    const elements = [set.any(), set.any()];
    expect(elements.map(readSmallInteger)).toEqual([3, 9]);
    expect(() => checkSetOrder(elements)).not.toThrow();
    expect(refusal(() => checkSetOrder(elements.toReversed()))).toBe(
      'der_malformed: expected a SET OF in ascending order, got another order',
    );
  });
});

describe('readTime', () => {
  it('reads whatever second between 1970 and 9999 the writer wrote', () => {
    const date = fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (moment) => {
        expect(readTime(element(time(moment))).getTime()).toBe(Math.floor(moment.getTime() / 1000) * 1000);
      }),
      { numRuns: 300 },
    );
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050', () => {
    expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toBe('\x17\x0d491231235959Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z');
  });

  it('puts two-digit years from 50 on into the last century', () => {
    expect(readTime(timeOf(TAG.utcTime, '700101000000Z')).toISOString()).toBe('1970-01-01T00:00:00.000Z');
    expect(readTime(timeOf(TAG.utcTime, '491231235959Z')).toISOString()).toBe('2049-12-31T23:59:59.000Z');
  });

  it.each(['691231235959Z', '500101000000Z'])('refuses %s, before anything rustls reads', (text) => {
    expect(refusal(() => readTime(timeOf(TAG.utcTime, text)))).toBe(
      `der_malformed: expected a date from 1970 on, got 19${text}`,
    );
  });

  it('takes GeneralizedTime before 2050, which readers must', () => {
    expect(readTime(timeOf(TAG.generalizedTime, '20260101000000Z')).toISOString()).toBe(
      '2026-01-01T00:00:00.000Z',
    );
  });

  it.each([
    [TAG.utcTime, '2601010000Z', 'UTCTime YYMMDDHHMMSSZ, got 11 other characters'],
    [TAG.utcTime, '260101000000+0000', 'UTCTime YYMMDDHHMMSSZ, got 17 other characters'],
    [TAG.generalizedTime, '20260101000000.5Z', 'GeneralizedTime YYYYMMDDHHMMSSZ, got 17 other characters'],
    [TAG.generalizedTime, '20260101000000', 'GeneralizedTime YYYYMMDDHHMMSSZ, got 14 other characters'],
    [TAG.utcTime, '260230000000Z', 'a date that exists, got 20260230000000Z'],
    [TAG.utcTime, '260101240000Z', 'a date that exists, got 20260101240000Z'],
    [TAG.utcTime, '261231235960Z', 'a date that exists, got 20261231235960Z'],
    [TAG.utcTime, '260001000000Z', 'a date that exists, got 20260001000000Z'],
    [TAG.utf8String, '260101000000Z', 'UTCTime or GeneralizedTime, got tag 12'],
  ])('refuses tag %i %s', (tag, text, message) => {
    expect(refusal(() => readTime(timeOf(tag, text)))).toBe(`der_malformed: expected ${message}`);
  });
});

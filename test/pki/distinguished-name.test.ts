import { DerReader, TAG } from '../../src/pki/der.ts';
import { oid, sequence, setOf, text, tlv } from '../../src/pki/der-writer.ts';
import type { DistinguishedName } from '../../src/pki/distinguished-name.ts';
import { commonNameOf, encodeName, printName, readName } from '../../src/pki/distinguished-name.ts';
import { refusal } from '../support/refusal.ts';

const attribute = (type: string, value: Buffer): Buffer => sequence(oid(type), value);
const utf8 = (value: string): Buffer => text(TAG.utf8String, value);
const read = (der: Buffer): DistinguishedName => readName(new DerReader(der, 'certificate'), 'name');
const name = (...rdns: Buffer[][]): DistinguishedName => read(sequence(...rdns.map((rdn) => setOf(...rdn))));

const CN = '2.5.4.3';
const O = '2.5.4.10';
const C = '2.5.4.6';

describe('distinguished names', () => {
  it('print with the most specific part first', () => {
    const printed = printName(
      name(
        [attribute(C, text(TAG.printableString, 'NO'))],
        [attribute(O, utf8('Kedge'))],
        [attribute(CN, utf8('root'))],
      ),
    );
    expect(printed).toBe('CN=root,O=Kedge,C=NO');
  });

  it('print parts with several attributes and types without a short name', () => {
    expect(printName(name([attribute(CN, utf8('a')), attribute('1.2.3.4', utf8('b'))]))).toBe(
      '1.2.3.4=b+CN=a',
    );
  });

  it.each([
    ['a,b+c', 'CN=a\\,b\\+c'],
    ['"<a>;=\\', 'CN=\\"\\<a\\>\\;\\=\\\\'],
    ['#a ', 'CN=\\#a\\ '],
    [' a', 'CN=\\ a'],
    ['a\nb\u202ec', 'CN=a\\0ab\\e2\\80\\aec'],
    ['Grünerløkka', 'CN=Grünerløkka'],
  ])('escape %j', (value, printed) => {
    expect(printName(name([attribute(CN, utf8(value))]))).toBe(printed);
  });

  it('print a value that is no text as its bytes, and text that looks so otherwise', () => {
    expect(printName(name([attribute(CN, tlv(TAG.octetString, Buffer.of(1)))]))).toBe('CN=#040101');
    expect(printName(name([attribute(CN, utf8('#040101'))]))).toBe('CN=\\#040101');
  });

  it('are read from every string type', () => {
    const bmp = Buffer.from('ø', 'utf16le').swap16();
    expect(commonNameOf(name([attribute(CN, tlv(TAG.bmpString, bmp))]))).toBe('ø');
    expect(commonNameOf(name([attribute(CN, tlv(TAG.teletexString, Buffer.of(0xf8)))]))).toBe('ø');
    expect(commonNameOf(name([attribute(CN, text(TAG.ia5String, 'a'))]))).toBe('a');
    expect(commonNameOf(name([attribute(CN, tlv(TAG.octetString, Buffer.of(1)))]))).toBe('#040101');
  });

  it('give the last common name, or none', () => {
    expect(commonNameOf(name([attribute(CN, utf8('first'))], [attribute(CN, utf8('last'))]))).toBe('last');
    expect(commonNameOf(read(encodeName()))).toBeUndefined();
    expect(printName(read(encodeName()))).toBe('');
  });

  it('keep their DER, by which they are compared', () => {
    expect(read(encodeName('root')).der).toEqual(encodeName('root'));
    expect(name([attribute(CN, text(TAG.printableString, 'root'))]).der).not.toEqual(encodeName('root'));
  });

  it.each([
    [
      'bytes that are not UTF-8',
      sequence(setOf(attribute(CN, tlv(TAG.utf8String, Buffer.of(0xc3, 0x28))))),
      'expected UTF-8 text, got other bytes',
    ],
    [
      'a printable string of other bytes',
      sequence(setOf(attribute(CN, tlv(TAG.printableString, Buffer.of(0xe9))))),
      'expected ASCII text, got other bytes',
    ],
    [
      'half a character of two bytes',
      sequence(setOf(attribute(CN, tlv(TAG.bmpString, Buffer.of(0, 0x61, 0))))),
      'expected two bytes a character, got half a character',
    ],
    ['an empty part', sequence(setOf()), 'name part: expected an attribute, got none'],
    [
      'an attribute with two values',
      sequence(setOf(sequence(oid(CN), utf8('a'), utf8('b')))),
      'attribute: expected no more bytes, got 3 left over',
    ],
    [
      'forty parts',
      sequence(...Array.from({ length: 40 }, () => setOf(attribute(CN, utf8('a'))))),
      'name: expected at most 32 parts, got more',
    ],
    [
      'attributes out of order',
      sequence(tlv(TAG.set, attribute(CN, utf8('b')), attribute(CN, utf8('a')))),
      'expected a SET OF in ascending order, got another order',
    ],
  ])('refuse %s', (_name, der, message) => {
    expect(refusal(() => read(der))).toBe(`der_malformed: ${message}`);
  });
});

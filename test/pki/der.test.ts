import { DerReader, MAX_DER_BYTES, TAG, readSequence } from '../../src/pki/der.ts';
import { octetString, sequence, tlv } from '../../src/pki/der-writer.ts';
import { refusal } from '../support/refusal.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const read = (hex: string): unknown => new DerReader(bytes(hex), 'thing').any();

describe('DerReader', () => {
  it('gives tag, content and whole encoding of each element in order', () => {
    const reader = new DerReader(bytes('04 02 aabb 05 00'), 'thing');
    expect(reader.nextTag).toBe(TAG.octetString);
    expect(reader.any()).toMatchObject({ tag: 4, content: bytes('aabb'), tlv: bytes('0402aabb') });
    expect(reader.done).toBe(false);
    expect(reader.any()).toMatchObject({ tag: 5, content: bytes(''), tlv: bytes('0500') });
    expect(reader.done).toBe(true);
    expect(reader.nextTag).toBeUndefined();
  });

  it('gives views of the input, so that nothing is copied', () => {
    const input = bytes('0402aabb');
    expect(new DerReader(input, 'thing').any().content.buffer).toBe(input.buffer);
  });

  it.each([
    [
      'a length in the long form that fits the short one',
      '04 81 7f',
      'thing: expected the shortest form of the length, got 1 bytes for 127',
    ],
    [
      'a length with a leading zero',
      '04 82 00 ff',
      'thing: expected the shortest form of the length, got 2 bytes for 255',
    ],
    ['the indefinite form', '30 80 00 00', 'thing: expected a definite length, got the indefinite form'],
    [
      'a length of lengths beyond any input',
      '04 84 01 00 00 00',
      'thing: expected a length of at most 3 bytes, got 4 bytes',
    ],
    ['the reserved length ff', '04 ff', 'thing: expected a length of at most 3 bytes, got 127 bytes'],
    ['a high tag number', '1f 81 01 00', 'thing: expected a tag number below 31, got 0x1f'],
    ['contents cut short', '04 05 aabb', 'thing: expected 5 bytes of content, got only 2'],
    ['a length cut short', '04 82 01', 'thing: expected another byte, got the end'],
    ['a tag alone', '04', 'thing: expected another byte, got the end'],
    ['nothing', '', 'thing: expected another byte, got the end'],
  ])('refuses %s', (_name, hex, message) => {
    expect(refusal(() => read(hex))).toBe(`der_malformed: ${message}`);
  });

  it('refuses another tag than the one wanted, and says both', () => {
    const reader = new DerReader(bytes('0500'), 'thing');
    expect(refusal(() => reader.element(TAG.sequence, 'part'))).toBe(
      'der_malformed: thing: expected part (tag 0x30), got tag 0x05',
    );
    reader.any();
    expect(refusal(() => reader.element(TAG.sequence, 'part'))).toBe(
      'der_malformed: thing: expected part (tag 0x30), got nothing more',
    );
  });

  it.each(['0000', '2000'])('refuses the reserved tag of %s', (hex) => {
    expect(refusal(() => new DerReader(bytes(hex), 'thing').any())).toBe(
      `der_malformed: thing: expected a tag, got the reserved 0x${hex.slice(0, 2)}`,
    );
  });

  it('reads an optional element only when it is there', () => {
    const reader = new DerReader(bytes('0500'), 'thing');
    expect(reader.optional(TAG.integer)).toBeUndefined();
    expect(reader.optional(TAG.null)?.tag).toBe(TAG.null);
    expect(reader.optional(TAG.null)).toBeUndefined();
  });

  it('refuses elements after the last one expected', () => {
    const reader = new DerReader(bytes('05000500'), 'thing');
    reader.any();
    expect(refusal(() => reader.end())).toBe('der_malformed: thing: expected no more bytes, got 2 left over');
  });

  it('refuses bytes behind the outer sequence', () => {
    expect(readSequence(bytes('3000'), 'thing').done).toBe(true);
    expect(refusal(() => readSequence(bytes('300000'), 'thing'))).toBe(
      'der_malformed: thing: expected no more bytes, got 1 left over',
    );
  });

  it('refuses an input larger than any certificate before walking it', () => {
    expect(refusal(() => new DerReader(Buffer.alloc(MAX_DER_BYTES + 1), 'thing'))).toBe(
      'der_malformed: thing: expected at most 65536 bytes, got 65537',
    );
  });

  it('refuses nesting deeper than any certificate', () => {
    let nested = tlv(TAG.sequence);
    for (let i = 0; i < 40; i++) nested = sequence(nested);
    const descend = (reader: DerReader): void => (reader.done ? undefined : descend(reader.inside('level')));
    expect(refusal(() => descend(new DerReader(nested, 'thing')))).toBe(
      'der_malformed: level: expected at most 16 levels, got more',
    );
  });
});

describe('DER there and back', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_000])('writes the shortest length for %i bytes', (length) => {
    const element = new DerReader(octetString(Buffer.alloc(length, 1)), 'thing').any();
    expect(element.content.length).toBe(length);
  });
});

import fc from 'fast-check';

/** One dishonest change, as plain numbers: whoever applies it takes each modulo what there is to choose from. */
export interface Change {
  readonly kind: number;
  readonly at: number;
  readonly byte: number;
  readonly length: number;
}

/** Bytes on which parsers turn: lengths, tags, signs. */
export const TURNING_BYTES = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff,
];

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.nat(63),
  at: fc.nat(0xffff),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(...TURNING_BYTES)),
  length: fc.nat(15),
});

/** One to four changes. */
export const someChanges: fc.Arbitrary<Change[]> = fc.array(change, { minLength: 1, maxLength: 4 });

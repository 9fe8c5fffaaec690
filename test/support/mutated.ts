import fc from 'fast-check';

/** Honest bytes with a few dishonest changes: bytes replaced, a piece cut out, doubled or put in. */
export function mutated(original: Uint8Array): fc.Arbitrary<Buffer> {
  const position = fc.nat(original.length - 1);
  const change = fc.record({
    at: position,
    kind: fc.constantFrom(
      'set' as const,
      'cut' as const,
      'double' as const,
      'insert' as const,
      'truncate' as const,
    ),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x30, 0x80, 0x84, 0xff)),
    length: fc.integer({ min: 1, max: 8 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) =>
    changes.reduce((bytes: Buffer, { at, kind, byte, length }) => {
      const [before, piece, after] = [
        bytes.subarray(0, at),
        bytes.subarray(at, at + length),
        bytes.subarray(at + length),
      ];
      switch (kind) {
        case 'cut':
          return Buffer.concat([before, after]);
        case 'double':
          return Buffer.concat([before, piece, piece, after]);
        case 'insert':
          return Buffer.concat([before, Buffer.alloc(length, byte), piece, after]);
        case 'truncate':
          return Buffer.from(before);
        case 'set':
          return Buffer.concat([before, Buffer.of(byte), piece.subarray(1), after]);
      }
    }, Buffer.from(original)),
  );
}

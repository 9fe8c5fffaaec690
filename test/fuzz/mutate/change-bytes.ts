import fc from 'fast-check';
import type { Change } from './change.ts';
import { someChanges } from './change.ts';

type Edit = (before: Buffer, piece: Buffer, after: Buffer, change: Change) => readonly Uint8Array[];

/** What may happen to bytes at one place; `piece` is the short run that begins there. */
const EDITS: readonly Edit[] = [
  (before, piece, after, { byte }) => [before, Buffer.of(byte), piece.subarray(1), after],
  (before, piece, after, { length }) => [before, flipped(piece, length), after],
  (before, _, after) => [before, after],
  (before, piece, after) => [before, piece, piece, after],
  (before, piece, after, { byte, length }) => [before, Buffer.alloc(length + 1, byte), piece, after],
  (before) => [before],
  (before, piece, after, { byte }) => [before, raised(piece, byte), after],
];

export function changeBytes(bytes: Buffer, change: Change): Buffer {
  const at = change.at % (bytes.length + 1);
  const end = at + 1 + (change.length % 8);
  const edit = EDITS[change.kind % EDITS.length]!;
  return Buffer.concat(edit(bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end), change));
}

/** One of the samples with a few changes. */
export function changedBytes(...samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...samples), someChanges)
    .map(([sample, changes]) => changes.reduce(changeBytes, Buffer.from(sample)));
}

/** The same for text in Latin-1 or ASCII. */
export function changedText(...samples: readonly string[]): fc.Arbitrary<string> {
  return changedBytes(...samples.map((sample) => Buffer.from(sample, 'latin1'))).map((bytes) =>
    bytes.toString('latin1'),
  );
}

function flipped(piece: Buffer, bit: number): Buffer {
  const [first, ...rest] = piece;
  return first === undefined ? piece : Buffer.from([first ^ (1 << (bit & 7)), ...rest]);
}

/** Adds a little to a number of two bytes, or takes it off: lengths that are wrong by one and the like. */
function raised(piece: Buffer, by: number): Buffer {
  if (piece.length < 2) return piece;
  const changed = Buffer.from(piece);
  changed.writeUInt16BE((piece.readUInt16BE(0) + (by % 17) - 8) & 0xffff);
  return changed;
}

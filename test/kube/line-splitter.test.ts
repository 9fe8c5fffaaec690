import fc from 'fast-check';
import { LineSplitter } from '../../src/kube/line-splitter.ts';
import { refusal } from '../support/refusal.ts';

/** The pieces of `bytes` that lie between these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])];
  ends.sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

describe('LineSplitter', () => {
  it('gives the same lines wherever the pieces end, within a character too', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line), fc.string(), fc.array(fc.nat()), (lines, rest, places) => {
        const splitter = new LineSplitter(1_000_000);
        const bytes = Buffer.from(`${lines.map((one) => `${one}\n`).join('')}${rest.replaceAll('\n', '')}`);
        const got = cut(bytes, places).flatMap((piece) => splitter.push(piece));
        expect(got).toEqual(lines.filter((one) => one !== ''));
      }),
    );
  });

  it('gives up a line that is too long as soon as it is, whether it comes whole or in pieces', () => {
    const expected = 'kube_answer_too_large: expected an event of at most 10 bytes, got more';
    const pieces = new LineSplitter(10);
    expect(pieces.push(Buffer.from('123456'))).toEqual([]);
    expect(refusal(() => pieces.push(Buffer.from('78901')))).toBe(expected);
    expect(refusal(() => new LineSplitter(10).push(Buffer.from('12345678901\n')))).toBe(expected);
    expect(new LineSplitter(10).push(Buffer.from('1234567890\n'))).toEqual(['1234567890']);
  });
});

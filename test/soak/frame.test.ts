import { randomBytes } from 'node:crypto';
import { frame, FrameReader, readAnswer, writeAnswer, WrongBytesError, writeQuestion } from './frame.ts';

const question = writeQuestion({ afterEnd: false, answerBytes: 100 }, 1_000);

describe('FrameReader', () => {
  it('gives the bodies back, however the bytes are cut', () => {
    const bodies = [question, Buffer.alloc(0), randomBytes(70_000)];
    const bytes = Buffer.concat(bodies.map(frame));
    for (const size of [1, 3, 1_000, bytes.length]) {
      const reader = new FrameReader();
      const got: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...reader.take(bytes.subarray(at, at + size)));
      expect(Buffer.concat(got).equals(Buffer.concat(bodies))).toBe(true);
      expect(reader.pending).toBe(0);
    }
  });

  it('finds every single byte that was changed on the way', () => {
    const small = frame(randomBytes(40));
    for (let at = 4; at < small.length; at += 1) {
      const changed = Buffer.from(small);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => new FrameReader().take(changed)).toThrow(WrongBytesError);
    }
  });

  it('never waits for a length that nobody sends', () => {
    expect(() => new FrameReader().take(Buffer.from('ffffffff', 'hex'))).toThrow(WrongBytesError);
  });

  it('says how much of a body that is not whole has come', () => {
    const reader = new FrameReader();
    expect(reader.take(frame(question).subarray(0, 500))).toEqual([]);
    expect(reader.pending).toBe(500);
  });
});

describe('readAnswer', () => {
  it('names the server that answered', () => {
    expect(readAnswer(writeAnswer('north', question), question)).toBe('n');
  });

  it('finds an answer to the question of somebody else, and one of another size', () => {
    const other = writeQuestion({ afterEnd: false, answerBytes: 100 }, 1_000);
    expect(() => readAnswer(writeAnswer('north', other), question)).toThrow('expected the answer to');
    expect(() => readAnswer(writeAnswer('north', question).subarray(1), question)).toThrow(
      'expected an answer of 133 bytes, got 132',
    );
  });
});

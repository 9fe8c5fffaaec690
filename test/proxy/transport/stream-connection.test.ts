import fc from 'fast-check';

import type { Take } from '../../../src/proxy/transport/engine.ts';
import { FrontBuffer } from '../../../src/proxy/transport/front-buffer.ts';
import { refusal, refusalOf } from '../../support/refusal.ts';
import { Bench, fate, readAll, until } from './bench.ts';

const limits = { timeoutMs: 1000, maxBytes: 16 };
/** Takes a line off the front. */
const line: Take<string> = (bytes, last) => {
  const end = bytes.indexOf('\n');
  if (end >= 0) return { value: bytes.toString('latin1', 0, end), consumed: end + 1 };
  return last ? { value: `unfinished: ${bytes.toString('latin1')}`, consumed: 0 } : undefined;
};

describe('reading the front of a connection', () => {
  it('waits for as many pieces as it takes', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    const read = near.readFront(line, limits);
    for (const byte of 'hello\n') {
      far.write(byte);
      await bench.clock.advance(1);
    }
    expect(await read).toBe('hello');
  });

  it('leaves what it did not consume to the next who reads', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.write('one\ntwo\nrest');
    expect(await near.readFront(line, limits)).toBe('one');
    expect(await near.readFront(line, limits)).toBe('two');
    far.end(' and end');
    expect(await readAll(near.release())).toBe('rest and end');
  });

  it('says at the limit that there will be no more', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.write('0123456789abcdef');
    expect(await near.readFront(line, limits)).toBe('unfinished: 0123456789abcdef');
  });

  it('says at the end that there will be no more, and goes on saying so', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.end('half');
    expect(await near.readFront(line, limits)).toBe('unfinished: half');
    expect(await near.readFront(line, limits)).toBe('unfinished: half');
    expect(near.ended).toBe(true);
  });

  it('remembers an end that came while nobody read', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.end('one\n');
    expect(await near.readFront(line, limits)).toBe('one');
    await until(() => near.ended);
    expect(await near.readFront(line, limits)).toBe('unfinished: ');
  });

  it('gives up in time, however many bytes trickle in', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    const read = refusalOf(near.readFront(line, limits));
    for (let i = 0; i < 3; i++) {
      far.write('x');
      await until(() => near.socket.bytesRead === i + 1);
      await bench.clock.advance(300);
    }
    await bench.clock.advance(100);
    expect(await read).toBe('read_timeout: expected more within 1000 ms, got 3 bytes');
    expect(bench.clock.pending).toBe(0);
  });

  it('fails when the other side resets, then and later', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    const read = refusalOf(near.readFront(line, limits));
    far.resetAndDestroy();
    expect(await read).toBe('connection_reset: expected bytes, got read ECONNRESET');
    expect(await refusalOf(near.readFront(line, limits))).toMatch(/^connection_reset: /);
  });

  it('passes on what the taker throws', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.write('x');
    const refuse: Take<never> = (bytes) => {
      if (bytes.length > 0) throw new TypeError('not this');
      return undefined;
    };
    await expect(near.readFront(refuse, limits)).rejects.toThrow('not this');
  });

  it('gives away no socket that has ended already', async () => {
    await using bench = new Bench();
    const { far, near } = await bench.pair();
    far.end();
    await near.readFront(line, limits);
    expect(refusal(() => near.release())).toMatch(/^connection_reset: /);
    expect(await fate(far)).toBe('ECONNRESET');
  });
});

describe('the buffer of a front', () => {
  it('holds what was appended less what was consumed', () => {
    const piece = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.nat(40))), (steps) => {
        const buffer = new FrontBuffer();
        let expected = Buffer.alloc(0);
        for (const [bytes, consume] of steps) {
          buffer.append(Buffer.from(bytes));
          expected = Buffer.concat([expected, bytes]);
          const count = Math.min(consume, expected.length);
          buffer.consume(count);
          expected = expected.subarray(count);
          expect(buffer.bytes).toEqual(expected);
        }
        expect(buffer.takeAll()).toEqual(expected);
        expect(buffer.length).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("does not write into pieces that are still somebody else's", () => {
    const buffer = new FrontBuffer();
    const shared = Buffer.from('abcdef');
    buffer.append(shared.subarray(0, 3));
    buffer.append(Buffer.from('XY'));
    expect([shared.toString(), buffer.bytes.toString()]).toEqual(['abcdef', 'abcXY']);
  });
});

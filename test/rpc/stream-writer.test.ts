import { BoundedStreamWriter } from '../../src/rpc/stream-writer.ts';
import type { ByteSink, StreamWriterLimits } from '../../src/rpc/stream-writer.ts';
import { frameOnce } from '../../src/rpc/method.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A transport that passes messages on only when told to. */
class HeldSink implements ByteSink {
  readonly written: string[] = [];
  ended: unknown = 'open';
  readonly #held: (() => void)[] = [];

  write(message: Buffer, sent: () => void): void {
    this.written.push(message.toString());
    this.#held.push(sent);
  }

  end(error?: unknown): void {
    this.ended = error;
  }

  passOn(count = 1): void {
    for (const sent of this.#held.splice(0, count)) sent();
  }
}

function writerOn(
  sink: ByteSink,
  options: { limits?: Partial<StreamWriterLimits>; clock?: ManualClock } = {},
) {
  const call = new AbortController();
  const writer = new BoundedStreamWriter<string>({
    sink,
    signal: call.signal,
    frame: (text) => Buffer.from(text),
    clock: options.clock ?? new ManualClock(),
    limits: { inFlight: 2, ...options.limits },
  });
  return { writer, call };
}

describe('a stream writer', () => {
  it('passes messages straight on while the reader keeps up', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    for (const message of ['a', 'b', 'c']) {
      writer.write(message);
      sink.passOn();
    }
    expect(sink.written).toEqual(['a', 'b', 'c']);
  });

  it('keeps only the latest state for a slow reader', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    for (const message of ['a', 'b', 'c', 'd', 'e']) writer.write(message);
    expect(sink.written).toEqual(['a', 'b']);
    sink.passOn();
    expect(sink.written).toEqual(['a', 'b', 'e']);
  });

  it('makes the messages of a state when there is room for them, and those of a skipped one never', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    const made: string[] = [];
    const make = (state: string) => () => {
      made.push(state);
      return [`${state}1`, `${state}2`, `${state}3`];
    };
    for (const state of ['a', 'b', 'c']) writer.writeMade(make(state));
    expect(made).toEqual(['a']);
    sink.passOn();
    // All of what was begun comes before the next.
    expect(sink.written).toEqual(['a1', 'a2', 'a3']);
    expect(made).toEqual(['a']);
    sink.passOn(2);
    sink.passOn(2);
    expect(made).toEqual(['a', 'c']);
    expect(sink.written).toEqual(['a1', 'a2', 'a3', 'c1', 'c2', 'c3']);
  });

  it('ends with OK after a state of which nothing is to be sent', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    for (const message of ['a', 'b']) writer.write(message);
    writer.writeMade(() => []);
    writer.end();
    expect(sink.ended).toBe('open');
    sink.passOn(2);
    expect(sink.written).toEqual(['a', 'b']);
    expect(sink.ended).toBeUndefined();
  });

  it('ends a reader that takes nothing for a minute', async () => {
    const clock = new ManualClock();
    const sink = new HeldSink();
    const { writer } = writerOn(sink, { clock });
    writer.write('a');
    await clock.advance(59_999);
    expect(sink.ended).toBe('open');
    await clock.advance(1);
    expect(sink.ended).toMatchObject({ code: 'stream_stalled' });
    expect(writer.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('lets a slow reader be that takes a message now and then, and sets no timer while nothing is under way', async () => {
    const clock = new ManualClock();
    const sink = new HeldSink();
    const { writer } = writerOn(sink, { clock });
    for (const message of ['a', 'b', 'c']) writer.write(message);
    for (let minute = 0; minute < 3; minute++) {
      await clock.advance(50_000);
      sink.passOn();
    }
    await clock.advance(600_000);
    expect(sink.written).toEqual(['a', 'b', 'c']);
    expect(sink.ended).toBe('open');
    expect(clock.pending).toBe(0);
  });

  it('sends what waits before it ends with OK', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    for (const message of ['a', 'b', 'c']) writer.write(message);
    writer.end();
    writer.write('after the end');
    expect(sink.ended).toBe('open');
    sink.passOn();
    expect(sink.written).toEqual(['a', 'b', 'c']);
    expect(sink.ended).toBeUndefined();
    expect(writer.signal.aborted).toBe(true);
  });

  it('drops what waits when it ends with an error', () => {
    const sink = new HeldSink();
    const { writer } = writerOn(sink);
    const fault = new Error('fault');
    for (const message of ['a', 'b', 'c']) writer.write(message);
    writer.end(fault);
    writer.end();
    sink.passOn(2);
    expect(sink.written).toEqual(['a', 'b']);
    expect(sink.ended).toBe(fault);
    expect(writer.signal.reason).toBe(fault);
  });

  it('writes nothing more and holds no timer once the call is gone', () => {
    const clock = new ManualClock();
    const sink = new HeldSink();
    const { writer, call } = writerOn(sink, { clock });
    for (const message of ['a', 'b', 'c']) writer.write(message);
    call.abort(new Error('gone'));
    sink.passOn(2);
    writer.write('d');
    writer.end();
    expect(sink.written).toEqual(['a', 'b']);
    expect(sink.ended).toBe('open');
    expect(clock.pending).toBe(0);
  });
});

describe('a message for many streams', () => {
  it('is framed once', () => {
    let encoded = 0;
    const once = frameOnce<{ text: string }>({
      encode: ({ text }) => {
        encoded++;
        return { finish: () => Buffer.from(text) };
      },
      decode: () => ({ text: '' }),
    });
    const message = { text: 'same' };
    const sinks = [new HeldSink(), new HeldSink(), new HeldSink()];
    for (const sink of sinks) {
      new BoundedStreamWriter({
        sink,
        signal: new AbortController().signal,
        frame: once,
        clock: new ManualClock(),
      }).write(message);
    }
    expect(sinks.map(({ written }) => written)).toEqual([
      ['\0\0\0\0\x04same'],
      ['\0\0\0\0\x04same'],
      ['\0\0\0\0\x04same'],
    ]);
    expect(encoded).toBe(1);
  });
});

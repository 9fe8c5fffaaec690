import { followStream } from '../../src/proxy/control-stream.ts';
import type { StreamLimits } from '../../src/proxy/control-stream.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { ErrorKind } from '../../src/runtime/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';

const error = (kind: ErrorKind): AppError => new AppError('scripted', kind, `the test said ${kind}`);

/** What one opening of the stream does: gives these numbers, then ends, fails or stays open until it is left. */
type Script = readonly [messages: readonly number[], end: 'ends' | 'stays' | ErrorKind];

const unlimited: StreamLimits = { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined };

/** Follows a stream that plays one script at each opening, the last one again and again. */
function following(scripts: readonly Script[], limits: Partial<StreamLimits> = {}) {
  const clock = new ManualClock();
  const heard: string[] = [];
  const stop = new AbortController();
  let opened = 0;
  async function* open(signal: AbortSignal): AsyncGenerator<number> {
    const [messages, end] = scripts[Math.min(opened++, scripts.length - 1)] ?? [[], 'stays'];
    yield* messages;
    if (end === 'ends') return;
    if (end !== 'stays') throw error(end);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    signal.throwIfAborted();
  }
  const done = followStream<number>(
    {
      open,
      onOpen: () => heard.push('open'),
      onMessage: (message) => heard.push(`message ${message}`),
      onBroken: (_, delayMs) => heard.push(`broken for ${delayMs}`),
      onRefused: (cause) => heard.push(`refused: ${(cause as Error).message}`),
    },
    { limits: { ...unlimited, ...limits }, backoff: { minMs: 100, maxMs: 400, jitter: 0 }, clock },
    stop.signal,
  );
  /** What was heard since the last look, after time has passed. */
  const after = async (ms: number): Promise<string[]> => {
    await clock.advance(ms);
    return heard.splice(0);
  };
  return { after, clock, stop, done };
}

describe('a stream of the control plane', () => {
  it('stays open and hands its messages on', async () => {
    const { after, clock } = following([[[1, 2], 'stays']]);
    expect(await after(3_600_000)).toEqual(['open', 'message 1', 'message 2']);
    expect(clock.pending).toBe(0);
  });

  it.each(['ends', 'unavailable', 'not_found', 'internal', 'unauthenticated', 'permission_denied'] as const)(
    'that %s is opened again after growing waits, the shortest after each message',
    async (end) => {
      const { after } = following([
        [[], end],
        [[], end],
        [[], end],
        [[], end],
        [[1], end],
        [[], 'stays'],
      ]);
      expect(await after(0)).toEqual(['open', 'broken for 100']);
      expect(await after(99)).toEqual([]);
      expect(await after(1)).toEqual(['open', 'broken for 200']);
      expect(await after(200)).toEqual(['open', 'broken for 400']);
      expect(await after(400)).toEqual(['open', 'broken for 400']);
      expect(await after(400)).toEqual(['open', 'message 1', 'broken for 100']);
      expect(await after(100)).toEqual(['open']);
    },
  );

  it.each(['invalid_argument', 'failed_precondition'] as const)(
    'that is refused with %s is left',
    async (kind) => {
      const { after, clock, done } = following([[[1], kind]]);
      expect(await after(0)).toEqual(['open', 'message 1', `refused: the test said ${kind}`]);
      await done;
      expect(clock.pending).toBe(0);
    },
  );

  it('that does not answer in time is opened again after a wait', async () => {
    const { after } = following([[[], 'stays']], { initialMs: 3000 });
    expect(await after(2999)).toEqual(['open']);
    expect(await after(1)).toEqual(['broken for 100']);
    expect(await after(100)).toEqual(['open']);
  });

  it('that is quiet too long is opened again at once', async () => {
    const { after } = following([[[1], 'stays']], { initialMs: 3000, idleMs: 300_000 });
    expect(await after(299_999)).toEqual(['open', 'message 1']);
    expect(await after(1)).toEqual(['open', 'message 1']);
  });

  it('that is old is opened again at once', async () => {
    const { after } = following([[[1], 'stays']], { lifetimeMs: 3_600_000 });
    expect(await after(3_600_000)).toEqual(['open', 'message 1', 'open', 'message 1']);
  });

  it('is left when the signal is aborted', async () => {
    const { after, clock, stop, done } = following([[[1], 'stays']], { idleMs: 1000, lifetimeMs: 1000 });
    await after(0);
    stop.abort();
    await done;
    expect([await after(0), clock.pending]).toEqual([[], 0]);
  });

  it('is left when the signal is aborted between two attempts', async () => {
    const { after, clock, stop, done } = following([[[], 'unavailable']]);
    await after(0);
    stop.abort();
    await done;
    expect([await after(1000), clock.pending]).toEqual([[], 0]);
  });
});

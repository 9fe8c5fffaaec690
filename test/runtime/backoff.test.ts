import fc from 'fast-check';
import { Backoff, retry, type RetryOptions } from '../../src/runtime/backoff.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';

const noJitter = (): number => 0;

describe('a back-off', () => {
  it('grows by its factor up to its longest wait', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000, factor: 3 }, noJitter);
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 300, 900, 1000, 1000]);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000 }, noJitter);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('prolongs a wait by at most the jitter', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000, jitter: 0.5 }, () => 1);
    expect(backoff.next()).toBe(150);
  });

  it('never waits less than the shortest wait or more than the longest with its jitter', () => {
    const policies = fc.record({
      minMs: fc.integer({ min: 1, max: 1000 }),
      maxMs: fc.integer({ min: 1000, max: 100_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 50 }), (policy, failures) => {
        const backoff = new Backoff(policy);
        for (let i = 0; i < failures; i++) {
          const waitMs = backoff.next();
          expect(waitMs).toBeGreaterThanOrEqual(policy.minMs);
          expect(waitMs).toBeLessThanOrEqual(policy.maxMs * (1 + policy.jitter));
        }
      }),
    );
  });

  it.each([
    ['no shortest wait', { minMs: 0, maxMs: 10 }],
    ['a longest wait below the shortest', { minMs: 10, maxMs: 9 }],
    ['a factor that shrinks', { minMs: 1, maxMs: 10, factor: 0.5 }],
    ['a jitter above one', { minMs: 1, maxMs: 10, jitter: 1.1 }],
    ['a wait that is no number', { minMs: NaN, maxMs: 10 }],
  ])('refuses a policy with %s', (_, policy) => {
    expect(() => new Backoff(policy)).toThrow('expected 0 < minMs <= maxMs');
  });
});

describe('retry', () => {
  const options = (more: Partial<RetryOptions> = {}): RetryOptions & { clock: ManualClock } => ({
    policy: { minMs: 100, maxMs: 1000 },
    signal: new AbortController().signal,
    random: noJitter,
    ...more,
    clock: new ManualClock(),
  });

  /** Fails this many times, then says `done`. */
  const failing = (times: number, error: Error = new Error('not yet')) => {
    let left = times;
    return async (): Promise<string> => {
      if (left-- > 0) throw error;
      return 'done';
    };
  };

  it('gives what the first successful attempt gives', async () => {
    await expect(retry(failing(0), options())).resolves.toBe('done');
  });

  it('tries again after growing waits and tells of each failure', async () => {
    const told: number[] = [];
    const with_ = options({ onFailure: (_, delayMs) => void told.push(delayMs) });
    const result = retry(failing(3), with_);
    await with_.clock.advance(700);
    await expect(result).resolves.toBe('done');
    expect(told).toEqual([100, 200, 400]);
  });

  it('waits as long as the error asks for', async () => {
    const told: number[] = [];
    const with_ = options({ onFailure: (_, delayMs) => void told.push(delayMs) });
    const busy = new AppError('busy', 'unavailable', 'busy', { retryAfterMs: 5000 });
    const result = retry(failing(1, busy), with_);
    await with_.clock.advance(5000);
    await expect(result).resolves.toBe('done');
    expect(told).toEqual([5000]);
  });

  it('rejects at once with an error that is not worth another attempt', async () => {
    const result = retry(failing(1, new Error('never')), options({ retryable: () => false }));
    await expect(result).rejects.toThrow('never');
  });

  it('stops waiting when it is aborted', async () => {
    const controller = new AbortController();
    const with_ = options({ signal: controller.signal });
    const result = retry(failing(9), with_);
    await with_.clock.advance(50);
    controller.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    expect(with_.clock.pending).toBe(0);
  });

  it('rejects with the reason of the abort when the attempt fails because of it', async () => {
    const controller = new AbortController();
    const attempt = async (): Promise<never> => {
      controller.abort(new Error('enough'));
      throw new Error('torn off');
    };
    await expect(retry(attempt, options({ signal: controller.signal }))).rejects.toThrow('enough');
  });

  it('does not begin when it was aborted before', async () => {
    const attempt = async (): Promise<never> => {
      throw new Error('began');
    };
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(retry(attempt, options({ signal }))).rejects.toThrow('enough');
  });
});

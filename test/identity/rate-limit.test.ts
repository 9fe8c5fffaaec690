import fc from 'fast-check';
import { RateLimit } from '../../src/identity/rate-limit.ts';
import { ManualClock } from '../support/manual-clock.ts';

const rate = { perSecond: 2, burst: 4 };

describe('RateLimit', () => {
  it('lets a burst through, then as many as come in', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(rate, clock);
    expect(Array.from({ length: 5 }, () => limit.take('a'))).toEqual([0, 0, 0, 0, 500]);
    await clock.advance(500);
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 500]);
  });

  it('says how long until there is one again', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(rate, clock);
    for (let at = 0; at < 4; at++) limit.take('a');
    await clock.advance(200);
    expect(limit.take('a')).toBe(300);
  });

  it('holds each key to a limit of its own', () => {
    const limit = new RateLimit(rate, new ManualClock());
    for (let at = 0; at < 10; at++) limit.take('a');
    expect(limit.take('b')).toBe(0);
  });

  it('does not fill a bucket beyond its burst', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(rate, clock);
    limit.take('a');
    await clock.advance(3_600_000);
    expect(Array.from({ length: 5 }, () => limit.take('a'))).toEqual([0, 0, 0, 0, 500]);
  });

  it('neither fills nor locks a bucket when the clock is set back', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(rate, clock);
    for (let at = 0; at < 5; at++) limit.take('a');
    clock.set(new Date('2020-01-01T00:00:00Z'));
    expect(limit.take('a')).toBe(500);
    await clock.advance(500);
    expect(limit.take('a')).toBe(0);
  });

  it('forgets keys that have not been used until they were full', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(rate, clock);
    for (let at = 0; at < 100; at++) limit.take(`key ${at}`);
    await clock.advance(2_000);
    for (let at = 0; at < 100; at++) limit.take('a');
    expect(limit.size).toBe(1);
  });

  it('does not grow with a flood of keys', () => {
    const limit = new RateLimit(rate, new ManualClock(), 1_000);
    for (let at = 0; at < 50_000; at++) limit.take(`key ${at}`);
    expect(limit.size).toBe(1_000);
  });

  it('keeps what is in use through a flood of keys', () => {
    const limit = new RateLimit(rate, new ManualClock(), 100);
    for (let at = 0; at < 4; at++) limit.take('a');
    for (let at = 0; at < 5_000; at++) {
      limit.take(`key ${at}`);
      expect(limit.take('a')).toBe(500);
    }
  });

  it('never lets more through than burst and time allow', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 60 }), async (waits) => {
        const clock = new ManualClock();
        const limit = new RateLimit(rate, clock);
        let passed = 0;
        for (const waitMs of waits) {
          if (limit.take('a') === 0) passed += 1;
          clock.set(new Date(clock.now().getTime() + waitMs));
        }
        const elapsedMs = waits.reduce((sum, waitMs) => sum + waitMs, 0);
        expect(passed).toBeLessThanOrEqual(rate.burst + (elapsedMs * rate.perSecond) / 1000);
        return Promise.resolve();
      }),
      { numRuns: 200 },
    );
  });
});

import fc from 'fast-check';

import { durationMs, durationOf } from '../../src/rpc/duration.ts';

describe('a duration', () => {
  it.each([
    [0, 0n, 0],
    [10_000, 10n, 0],
    [1, 0n, 1_000_000],
    [1999, 1n, 999_000_000],
  ])('of %p ms is %p seconds and %p nanoseconds', (ms, seconds, nanos) => {
    expect(durationOf(ms)).toEqual({ seconds, nanos });
  });

  it('comes back as the milliseconds it was made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => expect(durationMs(durationOf(ms))).toBe(ms)),
      { numRuns: 300 },
    );
  });

  it('is none when it is absent or negative', () => {
    expect(durationMs(undefined)).toBeUndefined();
    expect(durationMs({ seconds: -1n, nanos: 0 })).toBeUndefined();
  });
});

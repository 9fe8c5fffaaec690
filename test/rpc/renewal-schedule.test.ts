import { RESERVE, renewalDelay, retryDelay } from '../../src/rpc/renewal-schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const bounds = { minRefreshMs: 10_000, maxRefreshMs: 24 * hour };

describe('the schedule of renewals', () => {
  it('leaves three tenths of the lifetime for an outage, whatever chance says', () => {
    for (const random of [0, 0.3, 0.999_999]) {
      const delay = renewalDelay(24 * hour, bounds, () => random);
      expect(24 * hour - delay).toBeGreaterThanOrEqual(RESERVE * 24 * hour);
      expect(delay).toBeGreaterThanOrEqual(0.6 * 24 * hour);
    }
    expect(RESERVE).toBeCloseTo(0.3);
  });

  it.each([
    ['as the back-off says where nothing was advised', 4_000, undefined, 7 * hour, 4_000],
    ['as advised where that is longer', 4_000, 5 * minute, 7 * hour, 5 * minute],
    ['as advised where that is an appointment', 14_000, 1_500, 7 * hour, 1_500],
    ['as the back-off says where it merely came too soon', 14_000, 20, 7 * hour, 14_000],
    ['for ten minutes at most, whatever was advised', 4_000, 7 * hour, 7 * hour, 10 * minute],
    ['for an eighth of what is left at most', 4_000, 10 * minute, 8 * minute, minute],
    ['for an eighth of what is left also where the back-off says more', 10_000, undefined, 20_000, 2_500],
    ['for a moment at least', 10_000, minute, 10, 250],
    ['as advised where nothing is left', 4_000, 5 * minute, 0, 5 * minute],
    ['as advised where the certificate has ended', 4_000, minute, -hour, minute],
  ])('waits after a failure %s', (_, backoffMs, advisedMs, leftMs, expected) => {
    expect(retryDelay({ backoffMs, advisedMs, leftMs })).toBe(expected);
  });

  it('brings a workload back many times before its end, whatever it is told', () => {
    let leftMs = RESERVE * 24 * hour;
    let attempts = 0;
    while (leftMs > 1_000) {
      leftMs -= retryDelay({ backoffMs: 10_000, advisedMs: Infinity, leftMs });
      attempts += 1;
    }
    expect(attempts).toBeGreaterThan(40);
  });
});

import { formatDate, formatLength, parseLifetime } from '../../src/cli/lifetime.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('parseLifetime', () => {
  it.each([
    ['10y', 3650 * DAY],
    ['90d', 90 * DAY],
    ['24h0m0s', DAY],
    ['1h30m', 90 * MINUTE],
    ['20s', 20 * SECOND],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseLifetime(text)).toBe(ms);
  });

  it.each(['', '10', 'y', '-1d', '1.5h', ' 1d', '1d ', '1w', '1Y', '99999999999999999y'])(
    'refuses "%s"',
    (text) => {
      expect(parseLifetime(text)).toBeUndefined();
    },
  );
});

describe('formatLength', () => {
  it.each([
    [0, '0s'],
    [999, '0s'],
    [59 * SECOND, '59s'],
    [MINUTE, '1m'],
    [DAY - 1, '23h59m'],
    [DAY, '1d'],
    [DAY + 5 * MINUTE, '1d'],
    [3650 * DAY - 1, '3649d23h'],
    [-90 * MINUTE, '1h30m'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatLength(ms)).toBe(text);
  });
});

describe('formatDate', () => {
  it('writes whole seconds in UTC', () => {
    expect(formatDate(new Date('2026-11-21T20:59:40.123Z'))).toBe('2026-11-21 20:59:40Z');
  });
});

import fc from 'fast-check';
import { formatDuration, parseGoDuration, parseProxyDuration } from '../../src/runtime/durations.ts';

describe('a Go duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['20s', 20_000],
    ['24h0m0s', 86_400_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['300ms', 300],
    ['0.3s', 300],
    ['1s1s', 2000],
    ['1us', 1],
    ['1µs', 1],
    ['1μs', 1],
    ['1000000ns', 1],
    ['1ns', 1],
    ['0ns', 0],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '1',
    '20',
    's',
    '.s',
    '1d',
    '-1s',
    '+1s',
    '1 s',
    ' 1s',
    '1s ',
    '1e3s',
    '1,5s',
    '0x1s',
    '1S',
    '99999999h',
    '1hm',
  ])('refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });

  it('reads what was written as hours, minutes, seconds and milliseconds', () => {
    const part = fc.nat({ max: 5000 });
    fc.assert(
      fc.property(part, part, part, part, (h, m, s, ms) => {
        const total = ((h * 60 + m) * 60 + s) * 1000 + ms;
        expect(parseGoDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(total);
      }),
      { numRuns: 300 },
    );
  });

  it('reads in linear time', () => {
    expect(parseGoDuration(`${'1'.repeat(200_000)}x`)).toBeUndefined();
    expect(parseGoDuration('1h'.repeat(100_000) + 'x')).toBeUndefined();
  });
});

describe('a duration of the proxy’s environment', () => {
  it.each([
    ['0', 0],
    ['10s', 10_000],
    ['300ms', 300],
    ['2m', 120_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
    [' 5s ', 5000],
    ['0000', 0],
    ['007s', 7000],
  ])('reads %j as %d ms', (text, ms) => {
    expect(parseProxyDuration(text)).toBe(ms);
  });

  it.each(['', '10', '1', 's', '24h0m0s', '1.5s', '-1s', '10 s', '1us', '10S', '99999999999999999999d'])(
    'refuses %j',
    (text) => {
      expect(parseProxyDuration(text)).toBeUndefined();
    },
  );

  it('reads every number with every unit', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.nat({ max: 1e8 }), fc.constantFrom(...Object.entries(units)), (count, [unit, ms]) => {
        expect(parseProxyDuration(`${count}${unit}`)).toBe(count * ms);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a formatted duration', () => {
  it.each([
    [0, '0ms'],
    [300, '300ms'],
    [1500, '1.5s'],
    [20_000, '20s'],
    [90_000, '1m30s'],
    [86_400_000, '24h'],
    [3_601_000, '1h1s'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back as the same duration', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseGoDuration(formatDuration(ms))).toBe(ms);
      }),
      { numRuns: 300 },
    );
  });
});

import { readArguments, usage } from './arguments.ts';

describe('the arguments of the simulation', () => {
  it('are those of the usage where nothing is given', () => {
    expect(readArguments([])).toEqual({
      ...{ seed: 1, proxies: 100_000, days: 30, rate: 25, outageHours: 7, out: 'simulate.svg' },
    });
    for (const name of ['--seed', '--proxies', '--days', '--rate', '--outage-hours', '--out'])
      expect(usage).toContain(name);
    expect(readArguments(['-h'])).toBe('help');
  });

  it.each([
    [['--days', '0'], '--days: expected a whole number from 1 to 1000000, got "0"'],
    [['--seed', '1e3'], '--seed: expected a whole number from 1 to 1000000, got "1e3"'],
    [['--out', ''], '--out: expected the name of a file, got nothing'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});

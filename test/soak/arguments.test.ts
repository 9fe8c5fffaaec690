import { readArguments } from './arguments.ts';

describe('readArguments', () => {
  it('takes minutes, whole or not, and ten without', () => {
    expect(readArguments([])).toEqual({ minutes: 10, output: 'text' });
    expect(readArguments(['0.5'])).toEqual({ minutes: 0.5, output: 'text' });
    expect(readArguments(['3', '-o', 'json'])).toEqual({ minutes: 3, output: 'json' });
    expect(readArguments(['-h'])).toBe('help');
  });

  it.each(['0', '-1', 'ten', '1e3', '', 'NaN', 'Infinity', '0x10', '1.', '30241'])(
    'refuses %j as minutes',
    (text) => {
      expect(() => readArguments(['--', text])).toThrow(
        `expected minutes as a number over 0 and at most 30240, got ${JSON.stringify(text)}`,
      );
    },
  );

  it('refuses what it does not know', () => {
    expect(() => readArguments(['1', '2'])).toThrow('expected at most one argument, got 1 2');
    expect(() => readArguments(['-o', 'xml'])).toThrow('expected text or json as output, got xml');
    expect(() => readArguments(['--fast'])).toThrow('--fast');
  });
});

import { BadArguments, readArguments, usage } from '../../bench/arguments.ts';

const parts = ['data-path', 'ca'];
const read = (...words: string[]): ReturnType<typeof readArguments> => readArguments(words, parts);

describe('the arguments of the benchmark', () => {
  it('are five rounds of everything when there are none', () => {
    expect(read()).toEqual({ rounds: 5, only: parts, json: 'bench.json' });
  });

  it('say how many rounds, of what, and where the results go', () => {
    expect(read('--rounds', '7', '--only', 'ca', '--json', 'x.json')).toEqual({
      rounds: 7,
      only: ['ca'],
      json: 'x.json',
    });
  });

  it('may ask for help, which names the parts', () => {
    expect(read('--help')).toBe('help');
    expect(usage(parts)).toContain('data-path, ca');
  });

  it.each([
    [['--rounds', '0'], '--rounds: expected a whole number of at least 1, got "0"'],
    [['--rounds', 'many'], '--rounds: expected a whole number of at least 1, got "many"'],
    [['--only', 'cpu'], '--only: expected some of data-path, ca, got "cpu"'],
    [['--json', ''], '--json: expected the name of a file, got nothing'],
    [['--fast'], "Unknown option '--fast'"],
    [['7'], "Unexpected argument '7'"],
  ])('are refused when they are %j', (words, message) => {
    expect(() => read(...words)).toThrow(BadArguments);
    expect(() => read(...words)).toThrow(message);
  });
});

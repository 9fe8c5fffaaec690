import { accepted } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { derTarget } from '../targets/der.ts';
import { jobsOf } from './options.ts';

const plain: FuzzTarget = { ...derTarget, name: 'plain', explore: undefined as never, check: () => accepted };
const targets = [derTarget, plain];
const jobs = (...args: string[]) => {
  const wanted = jobsOf(args, targets);
  return wanted === 'help' ? wanted : wanted.map(({ target, kind, count }) => `${target} ${kind} ${count}`);
};

describe('the command line of the fuzzer', () => {
  it('tries every parser, and searches those that strangers reach', () => {
    expect(jobs()).toEqual(['der cases 100000', 'plain cases 100000', 'der coverage 30000']);
  });

  it('takes names and numbers', () => {
    expect(jobs('plain', '--cases', '5')).toEqual(['plain cases 5']);
    expect(jobs('--search-only', '--executions', '7')).toEqual(['der coverage 7']);
    expect(jobs('--cases-only', 'der')).toEqual(['der cases 100000']);
  });

  it('repeats one case of a finding, by its path or its bytes', () => {
    expect(jobsOf(['der', '--seed', '4', '--path', '3:1'], targets)).toEqual([
      { target: 'der', kind: 'cases', count: 1, seed: 4, path: '3:1' },
    ]);
    expect(jobsOf(['der', '--seed', '4', '--input', '3000'], targets)).toEqual([
      { target: 'der', kind: 'input', count: 1, seed: 4, input: '3000' },
    ]);
  });

  it('gives help where that is asked for', () => {
    expect(jobs('--help')).toBe('help');
  });

  it.each([
    [['nobody'], 'expected names of parsers (der, plain), got "nobody"'],
    [['--cases', 'many'], 'expected a whole number from 1 for --cases, got "many"'],
    [['--cases', '0'], 'expected a whole number from 1 for --cases, got "0"'],
    [['--cases', '1.5'], 'expected a whole number from 1 for --cases, got "1.5"'],
    [['--executions', '0'], 'expected a whole number from 1 for --executions, got "0"'],
    [['--seed', '1.5'], 'expected a whole number from 0 for --seed, got "1.5"'],
    [['--minutes', '0'], 'expected a number over 0 for --minutes, got "0"'],
    [['der', '--path', 'abc'], 'expected numbers with colons between them for --path, got "abc"'],
    [['--path', '3'], 'expected the name of one parser that takes --path, got 2 of them'],
    [['der', '--input', '0'], 'expected whole bytes in hex for --input, got "0"'],
    [['plain', '--input', '00'], 'expected the name of one parser that takes --input, got 0 of them'],
    [['plain', '--search-only'], 'expected something to do, got only parsers that are not searched'],
    [['--cases-only', '--search-only'], 'expected something to do, got only parsers that are not searched'],
  ])('refuses %j', (args, message) => {
    expect(() => jobs(...args)).toThrow(message);
  });
});

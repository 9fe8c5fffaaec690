import { accepted } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { derTarget } from '../targets/der.ts';
import { jobsOf } from './options.ts';

const plain: FuzzTarget = { ...derTarget, name: 'plain', explore: undefined as never, check: () => accepted };
const targets = [derTarget, plain];
const jobs = (...args: string[]) =>
  jobsOf(args, targets).map(({ target, kind, count }) => `${target} ${kind} ${count}`);

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

  it.each([
    [['nobody'], 'expected names of parsers (der, plain), got "nobody"'],
    [['--cases', 'many'], 'expected a number for --cases, got "many"'],
  ])('refuses %j', (args, message) => {
    expect(() => jobs(...args)).toThrow(message);
  });
});

import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { paint, printable, table } from '../../src/cli/table.ts';

describe('table', () => {
  it('makes each column as wide as its widest cell and ends no line in spaces', () => {
    expect(
      table(
        [
          ['a', 'one', ''],
          ['long', 'x', 'end'],
        ],
        { header: ['#', 'WORD', 'LAST'] },
      ),
    ).toBe('#     WORD  LAST\na     one\nlong  x     end\n');
  });

  it('gives a cell of several lines several lines, the other columns staying in place', () => {
    expect(table([['names', 'first\nsecond', 'x']], { indent: 2 })).toBe(
      '  names  first   x\n         second\n',
    );
  });

  it('aligns by what is seen: colour codes take no room, wide letters two', () => {
    const green = styleText('green', 'ok', { validateStream: false });
    expect(table([[green, 'b']])).toBe(`${green}  b\n`);
    expect(
      table([
        ['日本', 'b'],
        ['abcd', 'b'],
        ['e\u0301xyz', 'b'],
      ]),
    ).toBe('日本  b\nabcd  b\ne\u0301xyz  b\n');
  });

  it('takes rows of different lengths and no rows at all', () => {
    expect(table([['a'], ['b', 'c']])).toBe('a\nb  c\n');
    expect(table([])).toBe('');
    expect(table([], { header: ['A', 'B'] })).toBe('A  B\n');
  });
});

describe('paint', () => {
  it('leaves text alone where the stream is not a terminal', () => {
    const paints = paint(new Writable());
    expect([paints.good('a'), paints.bad('b'), paints.dim('c'), paints.strong('d')]).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });
});

describe('printable', () => {
  it('shows control characters and invisible ones as escapes, and leaves letters alone', () => {
    expect(printable('a\u001b[2Jb\n\u202ec\u2028é日')).toBe('a\\u{1b}[2Jb\\u{a}\\u{202e}c\\u{2028}é日');
  });
});

import { failures, staleness, tableOf, withTable } from './page.ts';
import type { TableSource } from './page.ts';
import type { ColumnRecord } from './record.ts';

const groups = [
  { title: 'Names', rows: ['gives a name', 'gives no other'] },
  { title: 'Chain', rows: ['sends a chain'] },
];
const columns = ['one', 'two', 'three'];

function sourceOf(records: readonly ColumnRecord[]): TableSource {
  return { groups, columns, records: new Map(records.map((record) => [record.column, record])) };
}

const source = sourceOf([
  {
    column: 'one',
    seenOn: 'real CA 1.0',
    cells: {
      'gives a name': { outcome: 'passed' },
      'gives no other': { outcome: 'n/a', reason: 'it cannot' },
      'sends a chain': { outcome: 'failed' },
    },
  },
  { column: 'two', seenOn: 'scripted', cells: { 'gives a name': { outcome: 'passed' } } },
]);

describe('the table of the issuers', () => {
  it('shows what came of each cell, on what, and why where nothing could', () => {
    expect(tableOf(source)).toBe(`|  | one | two | three |
| --- | --- | --- | --- |
| _seen on_ | _real CA 1.0_ | _scripted_ | _not seen_ |
| **Names** |  |  |  |
| gives a name | real | scripted | not seen |
| gives no other | n/a (1) | not seen | not seen |
| **Chain** |  |  |  |
| sends a chain | **fails** | not seen | not seen |

1. it cannot
`);
  });

  it('names what did not pass', () => {
    expect(failures(source)).toEqual(['one: sends a chain']);
  });

  it('takes the place of the last one in the page, and of nothing else', () => {
    const page = 'before\n<!-- conformance -->\nold\n<!-- end of conformance -->\nbehind\n';
    const made = withTable(withTable(page, sourceOf([])), source);
    expect(made).toBe(
      `before\n<!-- conformance -->\n\n${tableOf(source)}\n<!-- end of conformance -->\nbehind\n`,
    );
    expect(() => withTable('no markers', source)).toThrow('expected "<!-- conformance -->"');
  });

  it('is out of date when rows or columns are others than those of the code, or a cell did not pass', () => {
    const page = (made: TableSource): string =>
      withTable('<!-- conformance --><!-- end of conformance -->', made);
    const passing = sourceOf([]);
    expect(staleness(page(passing), passing)).toEqual([]);
    expect(staleness(page(source), source)).toEqual(['the cell "**fails**" of the row "sends a chain"']);
    expect(staleness(page(passing), { ...passing, columns: ['one', 'four'] })).toEqual([
      'columns: lacks "four"; has "two", which is gone; has "three", which is gone',
    ]);
    const turned = { ...passing, groups: groups.toReversed() };
    expect(staleness(page(passing), turned)).toEqual(['rows: in another order']);
  });
});

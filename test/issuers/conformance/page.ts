import type { CellRecord, ColumnRecord } from './record.ts';

export interface RowGroup {
  readonly title: string;
  readonly rows: readonly string[];
}

/** What the table shows: rows and columns of the code, and what came of them in a run. */
export interface TableSource {
  readonly groups: readonly RowGroup[];
  readonly columns: readonly string[];
  readonly records: ReadonlyMap<string, ColumnRecord>;
}

const [begin, end] = ['<!-- conformance -->', '<!-- end of conformance -->'];
const failed = '**fails**';
const notSeen = 'not seen';

/** The table in Markdown, with the reasons for what does not apply below it. */
export function tableOf({ groups, columns, records }: TableSource): string {
  const reasons: string[] = [];
  const noteOf = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return reasons.indexOf(reason) + 1;
  };
  const cellOf = (row: string, column: string): string => {
    const record = records.get(column);
    return record === undefined ? notSeen : textOf(record.cells[row], record.seenOn, noteOf);
  };
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = groups.flatMap(({ title, rows }) => [
    line([`**${title}**`, ...columns.map(() => '')]),
    ...rows.map((row) => line([row, ...columns.map((column) => cellOf(row, column))])),
  ]);
  const seenOn = columns.map((column) => records.get(column)?.seenOn ?? notSeen);
  return [
    line(['', ...columns]),
    line(['', ...columns].map(() => '---')),
    line(['_seen on_', ...seenOn.map((where) => `_${where}_`)]),
    ...body,
    '',
    ...reasons.map((reason, at) => `${at + 1}. ${reason}`),
    '',
  ].join('\n');
}

/** The page with the table of a run between its markers. */
export function withTable(page: string, source: TableSource): string {
  const { before, after } = parts(page);
  return `${before}${begin}\n\n${tableOf(source)}\n${end}${after}`;
}

/** What the page says otherwise than the code, a line for each; it cannot be seen here whether its cells are true. */
export function staleness(page: string, { groups, columns }: Omit<TableSource, 'records'>): string[] {
  const table = parts(page)
    .table.split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head = [], , , ...body] = table;
  const expected = groups.flatMap(({ title, rows }) => [`**${title}**`, ...rows]);
  const found = body.map(([name = '']) => name);
  const known = new RegExp(`^(real|scripted|n/a \\(\\d+\\)|${notSeen}|)$`);
  return [
    ...difference('columns', columns, head.slice(1)),
    ...difference('rows', expected, found),
    ...body.flatMap(([row = '', ...cells]) =>
      cells.filter((cell) => !known.test(cell)).map((cell) => `the cell "${cell}" of the row "${row}"`),
    ),
  ];
}

/** Cells of a run that did not pass, a line for each. */
export function failures({ groups, records }: TableSource): string[] {
  const rows = groups.flatMap((group) => group.rows);
  return [...records.values()].flatMap(({ column, cells }) =>
    rows.filter((row) => cells[row]?.outcome === 'failed').map((row) => `${column}: ${row}`),
  );
}

function textOf(record: CellRecord | undefined, seenOn: string, noteOf: (reason: string) => number): string {
  if (record === undefined) return notSeen;
  if (record.outcome === 'n/a') return `n/a (${noteOf(record.reason ?? '')})`;
  if (record.outcome === 'failed') return failed;
  return seenOn.startsWith('real') ? 'real' : 'scripted';
}

function difference(what: string, expected: readonly string[], found: readonly string[]): string[] {
  if (JSON.stringify(expected) === JSON.stringify(found)) return [];
  const missing = expected.filter((name) => !found.includes(name)).map((name) => `lacks "${name}"`);
  const surplus = found
    .filter((name) => !expected.includes(name))
    .map((name) => `has "${name}", which is gone`);
  const differing = [...missing, ...surplus];
  return [`${what}: ${differing.length > 0 ? differing.join('; ') : 'in another order'}`];
}

function parts(page: string): { before: string; table: string; after: string } {
  const [before, table, after] = page.split(new RegExp(`${begin}|${end}`));
  if (before === undefined || table === undefined || after === undefined) {
    throw new Error(`expected "${begin}" and "${end}" in the page`);
  }
  return { before, table, after };
}

import { table } from '../src/cli/table.ts';
import type { Paint } from '../src/cli/table.ts';
import type { Comparison, Missing } from './part.ts';
import { summarise } from './summary.ts';
import type { Summary } from './summary.ts';

const header = ['measure', 'against', 'ours', 'theirs', 'unit', 'median', 'spread', 'floor', ''];

/** The results as a table, and below it a line for each comparison that could not be made. */
export function render(results: readonly (Comparison | Missing)[], paint: Paint): string {
  const rows = results.filter(isComparison).map((result) => row(result, paint));
  const missing = results
    .filter((result): result is Missing => !isComparison(result))
    .map(({ measure, lacks }) => `not measured: ${measure}: ${lacks}\n`);
  return `${rows.length === 0 ? '' : table(rows, { header })}${missing.join('')}`;
}

export function isComparison(result: Comparison | Missing): result is Comparison {
  return 'rounds' in result;
}

function row(comparison: Comparison, paint: Paint): string[] {
  const { measure, against, unit, as = 'ratio', floor } = comparison;
  const summary = summarise(comparison);
  const compared = (value: number): string => (as === 'ratio' ? value.toFixed(2) : signed(value));
  return [
    measure,
    against,
    number(summary.ours),
    number(summary.peer),
    unit,
    paint.strong(compared(summary.median)),
    `${compared(summary.least)} to ${compared(summary.most)}`,
    floor === undefined ? '' : `${floor.at === 'least' ? '≥' : '≤'} ${floor.value}`,
    verdict(summary, paint),
  ];
}

function verdict({ verdict: said }: Summary, paint: Paint): string {
  if (said === undefined) return '';
  return said === 'missed' ? paint.bad(said) : paint.good(said);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${number(Math.abs(value))}`;
}

/** Three digits that say something. */
function number(value: number): string {
  if (value >= 100) return Math.round(value).toString();
  return value.toPrecision(3);
}

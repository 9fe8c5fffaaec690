import { table } from '../../../src/cli/table.ts';
import type { Report } from './job.ts';

/** Enough of an input to see what it is; the whole is found again by the command beside it. */
const SHOWN_CHARACTERS = 2000;
const SHOWN_LINES = 6;

/** What was done and reached, a line for each job. */
export function summary(reports: readonly Report[]): string {
  const rows = reports.map((report) => [
    report.job.kind === 'coverage' ? `${report.job.target} (search)` : report.job.target,
    report.cases.toLocaleString('en'),
    report.seconds.toFixed(1),
    percent((report.outcomes.get('accepted') ?? 0) / Math.max(1, total(report))),
    reached(report),
    [...report.outcomes.keys()]
      .filter((outcome) => outcome !== 'accepted')
      .toSorted()
      .join(' ') || '-',
    report.finding === undefined ? '-' : 'FOUND',
  ]);
  return table(rows, { header: ['parser', 'cases', 's', 'accepted', 'reached', 'refused with', 'findings'] });
}

/** What went wrong, and how to see it again. */
export function findings(reports: readonly Report[]): string {
  return reports
    .flatMap(({ job, finding }) => (finding === undefined ? [] : [{ job, finding }]))
    .map(({ job, finding: { what, input, replay } }) =>
      [
        `\n${job.target}, seed ${job.seed}:`,
        ...what.split('\n').slice(0, SHOWN_LINES),
        `input: ${input.length > SHOWN_CHARACTERS ? `${input.slice(0, SHOWN_CHARACTERS)}...` : input}`,
        `again: npm run fuzz -- ${replay}`,
        '',
      ].join('\n'),
    )
    .join('');
}

function reached({ lines, blocks, corpus }: Report): string {
  if (blocks !== undefined) return `${blocks} blocks, ${corpus ?? 0} inputs`;
  return lines === undefined ? '-' : `${percent(lines)} of lines`;
}

function total({ outcomes }: Report): number {
  return [...outcomes.values()].reduce((sum, count) => sum + count, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

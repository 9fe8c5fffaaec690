import { formatDate } from '../lifetime.ts';
import type { Paint } from '../table.ts';
import { printable, table } from '../table.ts';
import type { BootstrapReport, FileReport } from './report.ts';

/** Enough of a fingerprint to tell two certificates apart by eye; the JSON has all of it. */
const SHOWN_FINGERPRINT = 16;

/** The report for people: what was done, the files, and how to go on. */
export function renderBootstrap(report: BootstrapReport, paint: Paint): string {
  const made = report.files.filter(({ state }) => state === 'made').length;
  const done = report.changed
    ? `made ${made} of ${report.files.length} files`
    : 'nothing changed, all of it was there and fits together';
  const rows = report.files.map((file) => rowOf(file, paint));
  const header = ['FILE', 'STATE', 'HOLDS', 'UNTIL', 'SHA256'];
  const next = report.next.map((command) => `  ${command}`).join('\n');
  return [
    `${paint.strong(printable(report.directory))}: ${done}\n`,
    table(rows, { header }),
    ['A trial certificate of the issuer verifies up to the anchor.', ...report.notes, ''].join('\n'),
    `Next:\n${next}\n`,
  ].join('\n');
}

function rowOf({ file, state, holds, subject, notAfter, sha256 }: FileReport, paint: Paint): string[] {
  return [
    file,
    state === 'made' ? paint.good(state) : state,
    subject === undefined ? holds : printable(subject),
    notAfter === undefined ? '' : formatDate(new Date(notAfter)),
    sha256 === undefined ? '' : `${sha256.slice(0, SHOWN_FINGERPRINT)}…`,
  ];
}

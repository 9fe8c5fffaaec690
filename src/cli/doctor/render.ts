import type { Finding, Result } from '../../issuers/doctor/finding.ts';
import { printable, table, type Paint } from '../table.ts';
import type { DoctorReport } from './report.ts';

/** Columns of what was seen; longer texts go on in further lines. */
const width = 76;

/** The report for people: a line for each check, then what to do about those that did not pass. */
export function renderDoctor(report: DoctorReport, paint: Paint): string {
  const { issuer, mode, identity, findings, counts } = report;
  const title = `${paint.strong(`issuer ${issuer}${mode === undefined ? '' : `, mode ${mode}`}`)}, asked for ${identity}\n`;
  const rows = findings.map((finding) => [
    painted(finding.result, paint),
    finding.title,
    wrapped(finding.seen).join('\n'),
  ]);
  const remedies = findings.filter(({ remedy }) => remedy !== undefined);
  return [
    title,
    table(rows, { header: ['RESULT', 'CHECK', 'SEEN'] }),
    ...remedies.map((finding) => renderRemedy(finding, paint)),
    `${counts.pass} passed, ${counts.fail} failed, ${counts.warn} to be seen to, ${counts.skip} skipped\n`,
  ].join('\n');
}

function renderRemedy({ result, title, concerns, remedy = '' }: Finding, paint: Paint): string {
  const about = concerns === undefined ? '' : ` (${concerns})`;
  // On one line, as it may hold a command to be copied.
  return `${painted(result, paint)}  ${title}${about}\n  ${printable(remedy)}\n`;
}

function painted(result: Result, paint: Paint): string {
  const paints: Readonly<Record<Result, (text: string) => string>> = {
    pass: (text) => paint.good(text),
    fail: (text) => paint.bad(text),
    warn: (text) => paint.strong(text),
    skip: (text) => paint.dim(text),
  };
  return paints[result](result);
}

/** Words that are longer than a line are not cut: they are there to be copied. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of printable(text).split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

// Makes docs/configuration.md, docs/errors.md, docs/metrics.md and the schema of the destination file from the declarations
// in the code, the table of the chart's README from its values, and the rules in docs/issuers.md, so that they cannot say anything else. With --check it writes nothing and fails when a page is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { destinationFileSchema } from '../src/destination/file/schema.ts';
import { issuedRules } from '../src/issuers/check-issued.ts';
import { staleness } from '../test/issuers/conformance/page.ts';
import { columnNames, rowGroups } from '../test/issuers/conformance/table.ts';
import { chartValues } from './chart-values.ts';
import type { ValuesSchema } from './chart-values.ts';
import { errorPages, configurationPages, metricPages } from './docs-sources.ts';
import type { ErrorCatalogue, ErrorEntry } from '../src/runtime/errors.ts';
import type { Settings } from '../src/runtime/env.ts';
import type { Metrics } from '../src/runtime/metrics.ts';

type Catalogue = ErrorCatalogue<Readonly<Record<string, ErrorEntry>>>;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text}\``;
const rows = (cells: string[][]): string => cells.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

function configuration(): string {
  const parts = configurationPages.map(
    ({ title, intro, settings }) => `## ${title}\n\n${intro}\n\n${settingsTable(settings)}`,
  );
  return `# Configuration

A process reads its settings from its environment, once, when it starts. A variable that is empty counts as not set. A process that
cannot use its settings names every problem on a line of its own, \`NAME: expected ..., got ...\`, and ends with exit code 64.

${parts.join('\n\n')}
`;
}

function settingsTable(settings: Settings): string {
  const header = '| variable | expected | default | meaning |\n| --- | --- | --- | --- |\n';
  const byName = Object.values(settings).map(({ name, expected, fallback, required, help }) => [
    code(name),
    expected,
    required ? 'required' : fallback === undefined ? '' : code(fallback),
    help,
  ]);
  return header + rows(byName);
}

function errors(): string {
  const parts = errorPages.map(({ title, catalogue }) => `## ${title}\n\n${errorTable(catalogue)}`);
  return `# Errors

Every error has a stable code, which stands in the logs and the audit records, and a kind, which is the status that a gRPC client sees.
The message says what was expected and what came; this page says what to do.

${parts.join('\n\n')}
`;
}

function errorTable(catalogue: Catalogue): string {
  const header = '| code | status | what to do |\n| --- | --- | --- |\n';
  return (
    header +
    rows(
      Object.entries(catalogue.codes).map(([name, { kind, help }]) => [code(name), kind.toUpperCase(), help]),
    )
  );
}

function metrics(): string {
  const parts = metricPages().map(
    ({ title, metrics: declared }) => `## ${title}\n\n${metricTable(declared)}`,
  );
  return `# Metrics

Each process shows its metrics at \`/metrics\` of its admin port, in the Prometheus text format.

${parts.join('\n\n')}
`;
}

function metricTable(declared: Metrics): string {
  const header = '| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n';
  return (
    header +
    rows(
      declared.declarations.map(({ name, type, labels, help }) => [
        code(name),
        type,
        labels.map(code).join(', '),
        help,
      ]),
    )
  );
}

/** The chart's README with its table made anew; the rest of it is written by hand. */
function chartReadme(): string {
  const inChart = (name: string): string => readFileSync(path.join(root, 'helm', name), 'utf8');
  const schema = JSON.parse(inChart('values.schema.json')) as ValuesSchema;
  const values = chartValues(inChart('values.yaml'), schema);
  const table = rows(values.map(({ path, fallback, help }) => [code(path), code(fallback), help]));
  const [before, , after] = inChart('README.md').split(/(<!-- values -->)[^]*(?=<!-- end of values -->)/);
  return `${before ?? ''}<!-- values -->\n\n| value | default | meaning |\n| --- | --- | --- |\n${table}\n\n${after ?? ''}`;
}

/** The page of the issuers with its table of rules made anew; the table of their behaviours comes from a run of them. */
function issuersPage(text: string): string {
  const table = rows(issuedRules.map(({ name, help }) => [code(name), help]));
  const [before, , after] = text.split(/(<!-- rules -->)[^]*(?=<!-- end of rules -->)/);
  return `${before ?? ''}<!-- rules -->\n\n| rule | what it demands |\n| --- | --- |\n${table}\n\n${after ?? ''}`;
}

const root = path.join(import.meta.dirname, '..');
const layout = JSON.parse(readFileSync(path.join(root, '.prettierrc.json'), 'utf8')) as object;

/** A page of Markdown, laid out as the rest is. */
const page = (text: string): Promise<string> =>
  markdown(`<!-- Made by npm run docs; change the code instead. -->\n\n${text}`);
const markdown = (text: string): Promise<string> => format(text, { ...layout, parser: 'markdown' });

const check = process.argv.includes('--check');
const pages = {
  'docs/configuration.md': await page(configuration()),
  'docs/errors.md': await page(errors()),
  'docs/metrics.md': await page(metrics()),
  'docs/destination-file.schema.json': await format(JSON.stringify(destinationFileSchema), {
    ...layout,
    parser: 'json',
  }),
  'helm/README.md': await markdown(chartReadme()),
  'docs/issuers.md': await markdown(issuersPage(readOrEmpty(path.join(root, 'docs/issuers.md')))),
};
for (const [name, text] of Object.entries(pages)) {
  const file = path.join(root, name);
  if (!check) {
    writeFileSync(file, text);
  } else if (readOrEmpty(file) !== text) {
    process.stderr.write(`${name} is out of date: run npm run docs\n`);
    process.exitCode = 1;
  }
}
for (const line of staleness(pages['docs/issuers.md'], { groups: rowGroups, columns: columnNames })) {
  process.stderr.write(`docs/issuers.md is out of date: run npm run conformance (${line})\n`);
  if (check) process.exitCode = 1;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

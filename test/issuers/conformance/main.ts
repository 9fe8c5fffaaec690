// npm run conformance: runs the table of behaviours on every issuer at hand, and shows what came of it in docs/issuers.md.
// `-- --from DIRECTORY` takes the records of a run that was made before; `-- --check` only compares the page's names with the code.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { failures, staleness, withTable } from './page.ts';
import { readRecords, recordVariable } from './record.ts';
import { columnNames, rowGroups } from './table.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const page = path.join(root, 'docs', 'issuers.md');
const complain = (line: string): void => void process.stderr.write(`conformance: ${line}\n`);

function runTests(directory: string): void {
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  spawnSync(process.execPath, [...node, jest, '--runInBand', '--verbose', 'test/issuers/conformance/'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [recordVariable]: directory },
  });
}

async function writePage(directory: string): Promise<string[]> {
  const source = { groups: rowGroups, columns: columnNames, records: readRecords(directory) };
  const layout = JSON.parse(readFileSync(path.join(root, '.prettierrc.json'), 'utf8')) as object;
  const text = withTable(readFileSync(page, 'utf8'), source);
  writeFileSync(page, await format(text, { ...layout, parser: 'markdown' }));
  const unseen = columnNames.filter((name) => !source.records.has(name));
  for (const name of unseen) complain(`not seen, as its CA is not at hand: ${name}`);
  return failures(source).map((failure) => `failed: ${failure}`);
}

async function main(): Promise<string[]> {
  const { values } = parseArgs({ options: { from: { type: 'string' }, check: { type: 'boolean' } } });
  if (values.check === true) {
    const stale = staleness(readFileSync(page, 'utf8'), { groups: rowGroups, columns: columnNames });
    return stale.map((line) => `docs/issuers.md is out of date, run npm run conformance: ${line}`);
  }
  if (values.from !== undefined) return writePage(values.from);
  const directory = mkdtempSync(path.join(tmpdir(), 'kedge-conformance-'));
  try {
    runTests(directory);
    return await writePage(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const problems = await main();
problems.forEach(complain);
if (problems.length > 0) process.exitCode = 1;

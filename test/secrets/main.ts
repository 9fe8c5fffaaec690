// npm run secrets -- DIRECTORY: searches what a run of the tests has put out for the secrets that it used (docs/testing.md).
import { searchRun } from './search-run.ts';

const shown = 20;
const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('secrets: expected the directory of KEDGE_SECRETS_DIR, got nothing\n');
  process.exitCode = 64;
} else {
  const { secrets, bytes, leaks } = searchRun(directory);
  for (const { file, where } of leaks.slice(0, shown)) process.stdout.write(`${file}: ${where}\n`);
  const found = leaks.length === 0 ? 'none found' : `found ${leaks.length} times`;
  process.stdout.write(`${secrets} secrets in ${(bytes / 1e6).toFixed(1)} MB of output: ${found}\n`);
  if (leaks.length > 0 || secrets === 0 || bytes === 0) process.exitCode = 1;
}

// Called once before all tests, by jest, which wants a default export: it counts the tests that are skipped and does not say why.
import { missingOpenBao } from './binaries/openbao.ts';
import { missingHelm } from './helm.ts';
import { whatIsMissing } from './what-is-missing.ts';

/** Tells in one line each why the tests against an API server, those of the chart and those against OpenBao are skipped, where they are. */
export default function announce(): void {
  tell('tests against an API server', whatIsMissing());
  tell('tests of the chart', missingHelm());
  tell('tests against OpenBao', missingOpenBao());
}

function tell(tests: string, missing: string | undefined): void {
  if (missing !== undefined) process.stderr.write(`skipped: ${tests}: ${missing}\n`);
}

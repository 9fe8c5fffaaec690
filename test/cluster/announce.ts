// Called once before all tests, by jest, which wants a default export: it counts the tests that are skipped and does not say why.
import { whatIsMissing } from './what-is-missing.ts';

/** Tells in one line why the tests against an API server are skipped, where they are. */
export default function announce(): void {
  const missing = whatIsMissing();
  if (missing !== undefined) process.stderr.write(`skipped: tests against an API server: ${missing}\n`);
}

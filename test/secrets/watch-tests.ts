// Loaded by jest before each file of tests.
import { watchAnswers, watchChildren, watchErrors, watchKeys } from './hooks.ts';
import { runRecord } from './run-record.ts';

const record = runRecord();
if (record !== undefined) {
  for (const watch of [watchKeys, watchErrors, watchAnswers, watchChildren]) watch(record);
}

// Loaded with `--import` before the programs that tests start; says in its own address where to write.
import { syncBuiltinESMExports } from 'node:module';
import { watchAnswers, watchChildren, watchKeys, watchOutput } from './hooks.ts';
import { RunRecord } from './run-record.ts';

const directory = new URL(import.meta.url).searchParams.get('run');
if (directory !== null) {
  const record = new RunRecord(directory);
  for (const watch of [watchKeys, watchOutput, watchAnswers, watchChildren]) watch(record);
  syncBuiltinESMExports();
}

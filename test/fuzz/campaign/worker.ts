import { parentPort, workerData } from 'node:worker_threads';
import { BlockCoverage } from '../coverage/block-coverage.ts';
import { lineShare } from '../coverage/line-share.ts';
import type { FuzzTarget } from '../target.ts';
import type { Job, Report, WorkerData } from './job.ts';
import { runCases } from './run-cases.ts';
import { runInput, runSearch } from './run-search.ts';

const { job, progress } = workerData as WorkerData;

// Before the parsers are loaded, so that all of their code is counted.
const coverage = new BlockCoverage();
coverage.start();
// Only this parser is loaded: V8 goes through all code there is each time it is asked for its counts.
const defined = (await import(`../targets/${job.target}.ts`)) as Readonly<Record<string, FuzzTarget>>;
const target = Object.values(defined).find(({ name }) => name === job.target);
if (target === undefined)
  throw new Error(`expected a parser in targets/${job.target}.ts, got none of that name`);
parentPort?.postMessage(await run(target, job));
coverage.stop();

async function run(one: FuzzTarget, given: Job): Promise<Report> {
  const begun = performance.now();
  const onCase = (): void => void Atomics.add(progress, 0, 1);
  const rest = { job: given, lines: undefined, blocks: undefined, corpus: undefined };
  const found = await runKind(one, given, onCase);
  const seconds = (performance.now() - begun) / 1000;
  if (given.kind !== 'cases') return { ...rest, ...found, seconds };
  const functions = coverage.take([one.file]).get(one.file) ?? [];
  return { ...rest, ...found, seconds, lines: lineShare(one.file, functions) };
}

async function runKind(one: FuzzTarget, given: Job, onCase: () => void) {
  if (given.kind === 'cases') return runCases(one, given, onCase);
  if (one.explore === undefined)
    throw new Error(`expected a parser that is searched by coverage, got ${one.name}`);
  return given.kind === 'input'
    ? runInput(one.explore, given)
    : runSearch(one.explore, given, coverage, onCase);
}

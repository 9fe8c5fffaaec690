import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { paint } from '../src/cli/table.ts';
import { caPart } from './ca/ca-part.ts';
import { dataPathPart } from './data-path/data-path-part.ts';
import { fanOutPart } from './fan-out/fan-out-part.ts';
import { idlePart } from './idle/idle-part.ts';
import { kubernetesPart } from './kubernetes/kubernetes-part.ts';
import { tokenReviewPart } from './kubernetes/token-review-part.ts';
import { outagePart } from './outage/outage-part.ts';
import { vaultPart } from './vault/vault-part.ts';
import { BadArguments, readArguments, usage } from './arguments.ts';
import type { Comparison, Missing } from './part.ts';
import { holdsToCores } from './processes/on-core.ts';
import { isComparison, render } from './render.ts';
import { summarise } from './summary.ts';

const parts = [
  dataPathPart,
  caPart,
  fanOutPart,
  idlePart,
  kubernetesPart,
  tokenReviewPart,
  outagePart,
  vaultPart,
];
const stop = new AbortController();
const root = path.dirname(import.meta.dirname);

/** Exits with 0 also where a floor is missed: machines differ. With 1 where something could not be measured as meant. */
async function main(): Promise<void> {
  const partNames = parts.map(({ name }) => name);
  const given = readArguments(process.argv.slice(2), partNames);
  if (given === 'help') return void process.stdout.write(usage(partNames));
  build();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
  // Whoever reads no further (`| head`) wants no more of it; what was started has to end first.
  for (const output of [process.stdout, process.stderr])
    output.on('error', () => stop.abort(new Error('nobody reads its output any more')));
  const results: (Comparison | Missing)[] = [];
  try {
    for (const { name, run } of parts) {
      if (!given.only.includes(name)) continue;
      results.push(...(await run({ rounds: given.rounds, progress: tell, signal: stop.signal })));
    }
  } finally {
    // Also where a later part fails: the earlier ones took many minutes.
    tell('');
    process.stdout.write(render(results, paint(process.stdout)));
    if (!holdsToCores())
      process.stdout.write('nothing was held to a core: that wants two cores, and taskset\n');
  }
  writeFileSync(given.json, report(results, given.rounds));
  process.stdout.write(`\nwritten: ${given.json}\n`);
}

/** What is measured is what is shipped. */
function build(): void {
  tell('building the bundles');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`expected the bundles to build, got:\n${stderr}`);
}

/** One line that is written over on a terminal, and a line each elsewhere. */
function tell(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
  else if (line !== '') process.stderr.write(`${line}\n`);
}

function report(results: readonly (Comparison | Missing)[], rounds: number): string {
  const machine = {
    processor: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    heldToCores: holdsToCores(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
  const measured = results
    .filter(isComparison)
    .map((comparison) => ({ ...comparison, summary: summarise(comparison) }));
  const missing = results.filter((result) => !isComparison(result));
  return `${JSON.stringify({ at: new Date().toISOString(), machine, rounds, measured, missing }, null, 2)}\n`;
}

try {
  await main();
} catch (error) {
  // An aborted call says only that it was aborted.
  const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
  process.stderr.write(`bench: ${Error.isError(cause) ? cause.message : String(cause)}\n`);
  process.exitCode = error instanceof BadArguments ? 64 : 1;
}

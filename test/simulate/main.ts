// npm run simulate: see `usage` in arguments.ts.
import { writeFileSync } from 'node:fs';
import { formatLength } from '../../src/cli/lifetime.ts';
import { paint, table } from '../../src/cli/table.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { readArguments, usage, type SimulateArguments } from './arguments.ts';
import { planOf } from './plan.ts';
import { plot } from './plot.ts';
import { replicaCount, sampleMs, Simulation } from './simulation.ts';

const exitCodes = { ok: 0, failed: 1, usage: 64 } as const;
/** Clients of another make, which look at no advice. */
const stubbornShare = 0.005;

async function simulate(given: SimulateArguments): Promise<number> {
  const { seed, proxies, days, rate: ratePerReplica, outageHours, out } = given;
  // Millions of refusals are made; nobody reads where.
  Error.stackTraceLimit = 0;
  const leave = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave.abort());
  const colours = paint(process.stdout);
  const say = (line: string): void => void process.stdout.write(`${colours.dim(line)}\n`);
  const plan = planOf(seed, days, outageHours);
  const beganMs = performance.now();
  const simulation = new Simulation({
    ...{ seed, proxies, days, plan, ratePerReplica, stubbornShare, say },
    signal: leave.signal,
  });
  await simulation.run();
  const { record } = simulation;
  const allowed = ratePerReplica * replicaCount;
  const title = `${proxies.toLocaleString('en')} proxies, ${replicaCount} replicas, ${days} days, seed ${seed}`;
  writeFileSync(out, plot(record, { title, days, plan, rate: allowed, sampleMs }));
  const ok = record.expired === 0 && record.peakPerSecond <= allowed && !leave.signal.aborted;
  const verdict = ok ? colours.good('holds') : colours.bad('does not hold');
  process.stdout.write(
    `\n${table([
      ['certificates given', String(record.given)],
      ['requests sent away', String(record.refused)],
      ['certificates expired', String(record.expired)],
      ['least that was left at a renewal', formatLength(record.closestMs)],
      ['longest start while the CA was there', formatLength(record.longestStartMs)],
      ['most calls to the CA in any second', `${record.peakPerSecond} of ${allowed}`],
      ['calls to the CA', String(record.calls)],
      ['outages, slow times', `${plan.troubles.length / 2} each, the longest outage ${outageHours}h`],
      ['took', formatLength(performance.now() - beganMs)],
      ['hash of the run', record.digest()],
      ['plot', out],
      ['verdict', verdict],
    ])}`,
  );
  return ok ? exitCodes.ok : exitCodes.failed;
}

function given(): ReturnType<typeof readArguments> | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`simulate: ${errorMessage(error)}\n(add --help for what there is)\n`);
    return undefined;
  }
}

const wanted = given();
if (wanted === 'help') process.stdout.write(usage);
else process.exitCode = wanted === undefined ? exitCodes.usage : await simulate(wanted);

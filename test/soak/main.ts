// npm run soak: see `usage` in arguments.ts.
import { paint } from '../../src/cli/table.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { readArguments, usage } from './arguments.ts';
import type { SoakArguments } from './arguments.ts';
import { render, reportOf } from './report.ts';
import { Soak } from './soak.ts';

const exitCodes = { ok: 0, failed: 1, usage: 64 } as const;

async function soak({ minutes, output }: SoakArguments): Promise<number> {
  const leave = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave.abort());
  // Whoever reads no further (`| head`) wants no more of it.
  process.stdout.on('error', () => leave.abort());
  const text = output === 'text';
  const colours = paint(process.stdout);
  const say = (line: string): void => {
    if (text) process.stdout.write(`${colours.dim(line)}\n`);
  };
  const run = await Soak.create({ minutes, signal: leave.signal, say });
  await run.run();
  const report = reportOf(run);
  process.stdout.write(text ? `\n${render(report, colours)}` : `${JSON.stringify(report, undefined, 2)}\n`);
  if (report.faults.length === 0) {
    run.world.remove();
    return report.ok ? exitCodes.ok : exitCodes.failed;
  }
  process.stderr.write(
    `${run.logsAtFirstFault}\n\nThese were the logs at the first fault; they are kept in ${run.world.path('logs')}.\n`,
  );
  return exitCodes.failed;
}

function given(): ReturnType<typeof readArguments> | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`soak: ${errorMessage(error)}\n(add --help for what there is)\n`);
    return undefined;
  }
}

const wanted = given();
if (wanted === 'help') process.stdout.write(usage);
else process.exitCode = wanted === undefined ? exitCodes.usage : await soak(wanted);

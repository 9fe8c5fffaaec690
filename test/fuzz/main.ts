// `npm run fuzz`: many inputs for every parser, and a search by coverage where strangers may send bytes.
import { availableParallelism } from 'node:os';
import type { Job, Report } from './campaign/job.ts';
import { jobsOf, usage } from './campaign/options.ts';
import { findings, summary } from './campaign/render.ts';
import { runJob } from './campaign/run-job.ts';
import { targets } from './targets.ts';

const PROGRESS_INTERVAL_MS = 500;

process.exitCode = await main();

async function main(): Promise<number> {
  let jobs: Job[] | 'help';
  try {
    jobs = jobsOf(process.argv.slice(2), targets);
  } catch (error) {
    process.stderr.write(`${Error.isError(error) ? error.message : 'wrong arguments'}\n\n${usage}`);
    return 64;
  }
  if (jobs === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const begun = performance.now();
  const reports = await runAll(jobs);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  process.stdout.write(summary(reports) + findings(reports));
  const done = new Set(reports.map(({ job }) => nameOf(job)));
  const left = jobs.map(nameOf).filter((name) => !done.has(name));
  if (left.length > 0) process.stdout.write(`\nnot begun: ${left.join(', ')}\n`);
  process.stdout.write(`\nseed ${jobs[0]?.seed ?? 0}, ${seconds} s\n`);
  // V8 cannot always break a loop without end, and a thread in one would keep the process for ever.
  if (reports.some(({ finding }) => finding?.hangs)) process.kill(process.pid, 'SIGKILL');
  return reports.some(({ finding }) => finding !== undefined) ? 1 : 0;
}

/** As many jobs at once as there are cores; the reports in the order of the jobs. */
async function runAll(jobs: readonly Job[]): Promise<Report[]> {
  const running = new Map<Job, Int32Array<SharedArrayBuffer>>();
  const reports = new Map<Job, Report>();
  const waiting = [...jobs];
  const show = setInterval(() => showProgress(running, reports.size, jobs.length), PROGRESS_INTERVAL_MS);
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (job.endAt !== undefined && Date.now() >= job.endAt) continue;
      const progress = new Int32Array(new SharedArrayBuffer(4));
      running.set(job, progress);
      const report = await runJob(job, progress);
      reports.set(job, report);
      if (!process.stderr.isTTY) process.stderr.write(`${nameOf(job)}: ${report.seconds.toFixed(0)} s\n`);
      running.delete(job);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  clearInterval(show);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  return jobs.flatMap((job) => reports.get(job) ?? []);
}

function nameOf({ target, kind }: Job): string {
  return `${target} ${kind}`;
}

function showProgress(running: ReadonlyMap<Job, Int32Array>, done: number, all: number): void {
  if (!process.stderr.isTTY) return;
  const now = [...running].map(([{ target, count }, progress]) => {
    const share = Math.min(100, Math.floor((100 * Atomics.load(progress, 0)) / count));
    return `${target} ${share} %`;
  });
  process.stderr.write(`\r\u001b[K${done} of ${all} done: ${now.join(', ')}`);
}

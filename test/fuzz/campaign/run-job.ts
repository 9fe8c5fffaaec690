import { Worker } from 'node:worker_threads';
import type { Job, Report, WorkerData } from './job.ts';

/** A single input takes far less, also on a slow machine: what is still busy with it then will not end. */
const LONGEST_CASE_MS = 30_000;

/** Runs a job in a thread of its own. One that hangs on a case is ended, and reported with the way to that case. */
export function runJob(job: Job, progress: Int32Array<SharedArrayBuffer>): Promise<Report> {
  const workerData: WorkerData = { job, progress };
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData });
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    let last = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0);
      if (now === last) {
        clearInterval(watch);
        void worker.terminate();
        resolve(hung(job, now, (performance.now() - begun) / 1000));
      }
      last = now;
    }, LONGEST_CASE_MS);
    worker.once('message', (report: Report) => resolve(report));
    worker.once('error', reject);
    worker.once('exit', () => {
      clearInterval(watch);
      reject(new Error(`expected a report on ${job.target}, got the end of its thread`));
    });
  });
}

/** Cases are counted from 1 and paths from 0. A search is repeated from its start, since it goes by what came before. */
function hung(job: Job, cases: number, seconds: number): Report {
  const again =
    job.kind === 'cases' ? `--seed ${job.seed} --path ${cases - 1}` : `--seed ${job.seed} --search-only`;
  return {
    job,
    cases,
    seconds,
    outcomes: new Map(),
    lines: undefined,
    blocks: undefined,
    corpus: undefined,
    finding: {
      hangs: true,
      what: `hangs: case ${cases} did not end within ${LONGEST_CASE_MS / 1000} s`,
      input: 'see the case itself',
      replay: `${job.target} ${again}`,
    },
  };
}

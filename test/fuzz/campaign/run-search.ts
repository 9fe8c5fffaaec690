import type { BlockCoverage } from '../coverage/block-coverage.ts';
import { explore } from '../coverage/explore.ts';
import type { Finding } from '../coverage/explore.ts';
import { shrink } from '../coverage/shrink.ts';
import type { Exploration } from '../target.ts';
import type { Job, Report, ReportedFinding } from './job.ts';
import { describe } from './run-cases.ts';

type Searched = Pick<Report, 'cases' | 'outcomes' | 'finding' | 'blocks' | 'corpus'>;

/** Searches by coverage. `onCase` is told of each input before it is tried. */
export function runSearch(
  target: Exploration,
  job: Job,
  coverage: BlockCoverage,
  onCase: () => void,
): Searched {
  const { executions, finding, ...rest } = explore(target, coverage, {
    executions: job.count,
    seed: job.seed,
    onExecution: () => {
      onCase();
      return job.endAt !== undefined && Date.now() >= job.endAt;
    },
  });
  return { ...rest, cases: executions, finding: finding && reported(target, job, finding) };
}

/** Tries the one input of the job. */
export function runInput(target: Exploration, job: Job): Searched {
  const input = Buffer.from(job.input ?? '', 'hex');
  const nothing = { cases: 1, blocks: undefined, corpus: undefined, outcomes: new Map<string, number>() };
  try {
    return { ...nothing, outcomes: new Map([[target.check(input), 1]]), finding: undefined };
  } catch (error) {
    return { ...nothing, finding: reported(target, job, { input, error }) };
  }
}

function reported(target: Exploration, job: Job, finding: Finding): ReportedFinding {
  const first = headline(finding.error);
  const input = shrink(finding.input, (shorter) => headline(failureOf(target, shorter)) === first);
  const hex = input.toString('hex');
  return { what: describe(finding.error), input: `hex ${hex}`, replay: `${job.target} --input ${hex}` };
}

function failureOf(target: Exploration, input: Buffer): unknown {
  try {
    target.check(input);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Kind of an error and where it comes from: what stays the same while an input is made shorter. */
function headline(error: unknown): string {
  if (!Error.isError(error)) return '';
  const place = /\n\s+at (?!.*node:).*$/m.exec(error.stack ?? '')?.[0] ?? '';
  return `${error.name}${place}`;
}

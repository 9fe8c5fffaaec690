import fc from 'fast-check';
import type { FuzzTarget } from '../target.ts';
import type { Job, Report, ReportedFinding } from './job.ts';

/** Draws cases until one fails, all have passed or the time is over. `onCase` is told of each before it begins. */
export async function runCases(
  target: FuzzTarget,
  job: Job,
  onCase: () => void,
): Promise<Pick<Report, 'cases' | 'outcomes' | 'finding'>> {
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(target.inputs, async (input) => {
    onCase();
    const outcome = await target.check(input);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  });
  const details = await fc.check(property, {
    numRuns: job.count,
    seed: job.seed,
    ...(job.path !== undefined && { path: job.path }),
    ...(job.endAt !== undefined && { interruptAfterTimeLimit: Math.max(1, job.endAt - Date.now()) }),
  });
  return {
    cases: details.numRuns,
    outcomes,
    // An end of the time before the first case fails too, by fast-check's own account.
    finding: details.counterexamplePath === null ? undefined : findingOf(target, details),
  };
}

function findingOf({ name }: FuzzTarget, details: fc.RunDetails<[unknown]>): ReportedFinding {
  const { counterexample, counterexamplePath, seed, errorInstance } = details;
  return {
    what: describe(errorInstance),
    input: counterexample === null ? 'none' : inputText(counterexample[0]),
    replay: `${name} --seed ${seed} --path ${counterexamplePath ?? ''}`,
  };
}

/** Bytes in hex, anything else as it would be written in a test. */
function inputText(input: unknown): string {
  return Buffer.isBuffer(input) ? `hex ${input.toString('hex')}` : fc.stringify(input);
}

/** The message of an error and where it was thrown. */
export function describe(error: unknown): string {
  return Error.isError(error) ? (error.stack ?? error.message) : `a thrown ${typeof error}`;
}

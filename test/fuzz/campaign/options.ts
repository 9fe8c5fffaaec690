import { parseArgs } from 'node:util';
import type { FuzzTarget } from '../target.ts';
import type { Job } from './job.ts';

const CASES = 100_000;
const EXECUTIONS = 30_000;

export const usage = `npm run fuzz [-- [parser...] [options]]

  --cases N        cases for each parser (${CASES})
  --executions N   inputs for each search by coverage (${EXECUTIONS})
  --seed N         draw the same cases again
  --minutes N      end by then, whatever is left
  --cases-only     no search by coverage
  --search-only    nothing but the search by coverage
  --path P         one case, as a finding names it
  --input HEX      one input of a parser that is searched, as a finding names it
`;

/** What there is to do, as the command line says. Throws an Error that says what is wrong with it. */
export function jobsOf(args: readonly string[], targets: readonly FuzzTarget[]): Job[] {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      cases: { type: 'string' },
      executions: { type: 'string' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      path: { type: 'string' },
      input: { type: 'string' },
      'cases-only': { type: 'boolean', default: false },
      'search-only': { type: 'boolean', default: false },
    },
  });
  const chosen = choose(positionals, targets);
  const seed = number('--seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31);
  const minutes = number('--minutes', values.minutes);
  const common = { seed, ...(minutes !== undefined && { endAt: Date.now() + minutes * 60_000 }) };
  const job = (kind: Job['kind'], count: number, { name }: FuzzTarget): Job => ({
    ...common,
    kind,
    count,
    target: name,
  });
  if (values.input !== undefined)
    return chosen.map((one) => ({ ...job('input', 1, one), input: values.input ?? '' }));
  if (values.path !== undefined)
    return chosen.map((one) => ({ ...job('cases', 1, one), path: values.path ?? '' }));
  const cases = number('--cases', values.cases) ?? CASES;
  const executions = number('--executions', values.executions) ?? EXECUTIONS;
  const searched = chosen.filter(({ explore }) => explore !== undefined);
  return [
    ...(values['search-only'] ? [] : chosen.map((one) => job('cases', cases, one))),
    ...(values['cases-only'] ? [] : searched.map((one) => job('coverage', executions, one))),
  ];
}

function choose(names: readonly string[], targets: readonly FuzzTarget[]): readonly FuzzTarget[] {
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) {
    const known = targets.map(({ name }) => name).join(', ');
    throw new Error(`expected names of parsers (${known}), got ${JSON.stringify(unknown)}`);
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
}

function number(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 2 ** 31)
    throw new Error(`expected a number for ${option}, got ${JSON.stringify(text)}`);
  return value;
}

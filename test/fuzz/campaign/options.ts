import { parseArgs } from 'node:util';
import type { FuzzTarget } from '../target.ts';
import type { Job } from './job.ts';

const CASES = 100_000;
const EXECUTIONS = 30_000;
/** What a timer can still wait for, which is more than three weeks. */
const longestMinutes = 35_000;

export const usage = `npm run fuzz [-- [parser...] [options]]

  --cases N        cases for each parser (${CASES})
  --executions N   inputs for each search by coverage (${EXECUTIONS})
  --seed N         draw the same cases again (a search by coverage may still go another way)
  --minutes N      end by then, whatever is left
  --cases-only     no search by coverage
  --search-only    nothing but the search by coverage
  --path P         one case, as a finding names it
  --input HEX      one input of a parser that is searched, as a finding names it
  --help           this text
`;

/** What there is to do, as the command line says; `help` where that was asked for. Throws an Error that says what is wrong. */
export function jobsOf(args: readonly string[], targets: readonly FuzzTarget[]): Job[] | 'help' {
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
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const chosen = choose(positionals, targets);
  const seed = count('--seed', values.seed, 0) ?? Math.floor(Math.random() * 2 ** 31);
  const minutes = duration('--minutes', values.minutes);
  const common = { seed, ...(minutes !== undefined && { endAt: Date.now() + minutes * 60_000 }) };
  const job = (kind: Job['kind'], times: number, { name }: FuzzTarget): Job => ({
    ...common,
    kind,
    count: times,
    target: name,
  });
  const searched = chosen.filter(({ explore }) => explore !== undefined);
  const { input, path } = values;
  if (input !== undefined) return [{ ...job('input', 1, theOne('--input', searched)), input: hex(input) }];
  if (path !== undefined) return [{ ...job('cases', 1, theOne('--path', chosen)), path: casePath(path) }];
  const cases = count('--cases', values.cases, 1) ?? CASES;
  const executions = count('--executions', values.executions, 1) ?? EXECUTIONS;
  const jobs = [
    ...(values['search-only'] ? [] : chosen.map((one) => job('cases', cases, one))),
    ...(values['cases-only'] ? [] : searched.map((one) => job('coverage', executions, one))),
  ];
  if (jobs.length > 0) return jobs;
  throw new Error('expected something to do, got only parsers that are not searched, or both --...-only');
}

function choose(names: readonly string[], targets: readonly FuzzTarget[]): readonly FuzzTarget[] {
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) {
    const known = targets.map(({ name }) => name).join(', ');
    throw new Error(`expected names of parsers (${known}), got ${JSON.stringify(unknown)}`);
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
}

/** A case or an input belongs to one parser. */
function theOne(option: string, chosen: readonly FuzzTarget[]): FuzzTarget {
  const [one, ...more] = chosen;
  if (one !== undefined && more.length === 0) return one;
  throw new Error(`expected the name of one parser that takes ${option}, got ${chosen.length} of them`);
}

function hex(text: string): string {
  if (/^([0-9a-f]{2})*$/i.test(text)) return text;
  throw new Error(`expected whole bytes in hex for --input, got ${JSON.stringify(text)}`);
}

function casePath(text: string): string {
  if (/^\d{1,9}(:\d{1,9})*$/.test(text)) return text;
  throw new Error(`expected numbers with colons between them for --path, got ${JSON.stringify(text)}`);
}

function count(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value < 2 ** 31) return value;
  throw new Error(`expected a whole number from ${least} for ${option}, got ${JSON.stringify(text)}`);
}

function duration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= longestMinutes) return value;
  throw new Error(`expected a number over 0 for ${option}, got ${JSON.stringify(text)}`);
}

import { parseArgs } from 'node:util';

/** What was typed cannot be understood; the message says what was expected. */
export class BadArguments extends Error {}

export interface Arguments {
  readonly rounds: number;
  /** Names of the parts to run. */
  readonly only: readonly string[];
  /** File for the results. */
  readonly json: string;
}

const defaultRounds = 5;
const defaultFile = 'bench.json';

export function usage(parts: readonly string[]): string {
  return `Usage: npm run bench -- [--rounds N] [--only PART,...] [--json FILE]

Measures Kedge beside its peers on this machine and prints the ratios of each round.

  --rounds N       rounds of each comparison (${defaultRounds})
  --only PART,...  of: ${parts.join(', ')} (all)
  --json FILE      where the results go (${defaultFile})
`;
}

/** Throws `BadArguments`. */
export function readArguments(words: readonly string[], parts: readonly string[]): Arguments | 'help' {
  const { values } = parse(words);
  if (values.help === true) return 'help';
  const rounds = Number(values.rounds ?? defaultRounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new BadArguments(`--rounds: expected a whole number of at least 1, got "${values.rounds ?? ''}"`);
  const only = values.only?.split(',') ?? parts;
  const stranger = only.find((name) => !parts.includes(name));
  if (stranger !== undefined)
    throw new BadArguments(`--only: expected some of ${parts.join(', ')}, got "${stranger}"`);
  const json = values.json ?? defaultFile;
  if (json === '') throw new BadArguments('--json: expected the name of a file, got nothing');
  return { rounds, only, json };
}

function parse(words: readonly string[]): {
  values: Partial<Record<'rounds' | 'only' | 'json', string>> & { help?: boolean };
} {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...words],
      options: { rounds: text, only: text, json: text, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new BadArguments(Error.isError(error) ? error.message : String(error));
  }
}

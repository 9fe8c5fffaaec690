import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  readonly output: 'text' | 'json';
}

export const usage = `Usage: npm run soak -- [minutes] [-o text|json]

Runs identity, destination, three proxies, two servers and steady clients on this machine while certificates are renewed,
the issuer is swapped, endpoints and policy change and processes are restarted. It ends with a table.

  minutes                 how long, a number over 0 such as 0.5; 10 unless told
  -o, --output <format>   text or json
  -h, --help              this text

Exit codes: 0 no failed request, no wrong byte, no growth; 1 otherwise; 64 wrong usage.
`;

const usualMinutes = 10;
/** Three weeks; no timer waits for a month. */
const mostMinutes = 30_240;

/** Reads the command line. Gives `help` where that was asked for; throws an Error that says what was expected. */
export function readArguments(args: readonly string[]): SoakArguments | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o', default: 'text' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (positionals.length > 1) throw new Error(`expected at most one argument, got ${positionals.join(' ')}`);
  const { output } = values;
  if (output !== 'text' && output !== 'json')
    throw new Error(`expected text or json as output, got ${output}`);
  return { minutes: readMinutes(positionals[0]), output };
}

function readMinutes(text: string | undefined): number {
  if (text === undefined) return usualMinutes;
  const minutes = /^\d*\.?\d+$/.test(text) ? Number(text) : 0;
  if (minutes <= 0 || minutes > mostMinutes) {
    const got = JSON.stringify(text);
    throw new Error(`expected minutes as a number over 0 and at most ${mostMinutes}, got ${got}`);
  }
  return minutes;
}

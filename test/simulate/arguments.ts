import { parseArgs } from 'node:util';

export interface SimulateArguments {
  readonly seed: number;
  readonly proxies: number;
  readonly days: number;
  readonly outageHours: number;
  /** Calls a second that each replica may make. */
  readonly rate: number;
  /** The SVG file. */
  readonly out: string;
}

export const usage = `Usage: npm run simulate -- [--seed N] [--proxies N] [--days N] [--rate N] [--outage-hours N] [--out FILE]

Runs the code of the identity service that decides who gets a certificate and when (certify, admission, the waiting line and
the circuit breaker before the CA), three replicas of it, with many proxies on the schedule of the real ones, through weeks of
outages of the CA, slow times, restarts of everything and roll-outs. Time is simulated and chance has a seed.

  --seed N           another run for another number; the same run for the same (1)
  --proxies N        how many (100000)
  --days N           how long (30)
  --rate N           what each replica may ask of the CA in a second (a 4000th of the proxies)
  --outage-hours N   the longest outage (7); beyond 7.2 certificates must expire
  --out FILE         where the plot goes (simulate.svg)

Exit codes: 0 no certificate expired and the CA never got more than its rate; 1 otherwise; 64 wrong usage.
`;

/** Reads the command line. Gives `help` where that was asked for; throws an Error that says what was expected. */
export function readArguments(args: readonly string[]): SimulateArguments | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ seed: text, proxies: text, days: text, rate: text, 'outage-hours': text, out: text },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const proxies = wholeNumber('--proxies', values.proxies, 100_000);
  const { out = 'simulate.svg' } = values;
  if (out === '') throw new Error('--out: expected the name of a file, got nothing');
  return {
    seed: wholeNumber('--seed', values.seed, 1),
    proxies,
    days: wholeNumber('--days', values.days, 30),
    rate: wholeNumber('--rate', values.rate, Math.max(1, Math.round(proxies / 4_000))),
    outageHours: wholeNumber('--outage-hours', values['outage-hours'], 7),
    out,
  };
}

function wholeNumber(name: string, given: string | undefined, usual: number): number {
  if (given === undefined) return usual;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= 1 && value <= 1_000_000) return value;
  throw new Error(`${name}: expected a whole number from 1 to 1000000, got ${JSON.stringify(given)}`);
}

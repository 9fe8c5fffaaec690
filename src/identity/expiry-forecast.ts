import type { Holding } from './holdings.ts';

const minute = 60_000;
const hour = 60 * minute;

/** How far ahead is counted, and what that is called. */
export const windows = [
  { name: '15m', ms: 15 * minute },
  { name: '1h', ms: hour },
  { name: '2h', ms: 2 * hour },
  { name: '4h', ms: 4 * hour },
  { name: '8h', ms: 8 * hour },
  { name: '16h', ms: 16 * hour },
  { name: '24h', ms: 24 * hour },
] as const;

export interface Expiry {
  readonly identity: string;
  readonly at: Date;
}

/** When whose certificates end if nothing is signed any more from a time on. */
export interface ExpiryForecast {
  /** Workloads that hold a certificate and are there. */
  readonly workloads: number;
  /** Those that hold one but did not come to renew it when they should have: they are most likely gone. */
  readonly quiet: number;
  /** Who is without a certificate first. */
  readonly first: Expiry | undefined;
  /** For each of `windows`, how many are without one by then. */
  readonly within: readonly number[];
}

export interface ForecastMoment {
  readonly now: Date;
  /** From when on nothing is signed: the past in an outage, the end of the issuer where it signs here. */
  readonly signsUntil: Date;
}

/** Who renews until `signsUntil` is good at least until then, since what is given ends no later than its issuer. */
export function forecastOf(holdings: Iterable<Holding>, { now, signsUntil }: ForecastMoment): ExpiryForecast {
  const nowMs = now.getTime();
  const signsUntilMs = signsUntil.getTime();
  // Nobody can be overdue for a time in which nobody was served.
  const heardMs = Math.min(nowMs, signsUntilMs);
  const within = windows.map(() => 0);
  let workloads = 0;
  let quiet = 0;
  let firstMs = Infinity;
  let first = '';
  for (const { identity, endMs, quietMs } of holdings) {
    if (quietMs < heardMs) {
      quiet += 1;
      continue;
    }
    workloads += 1;
    const lastsMs = Math.max(endMs, signsUntilMs);
    windows.forEach(({ ms }, index) => {
      if (lastsMs <= nowMs + ms) within[index] = (within[index] ?? 0) + 1;
    });
    if (lastsMs >= firstMs) continue;
    firstMs = lastsMs;
    first = identity;
  }
  const expiry = workloads === 0 ? undefined : { identity: first, at: new Date(firstMs) };
  return { workloads, quiet, first: expiry, within };
}

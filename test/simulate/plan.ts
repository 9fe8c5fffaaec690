import { seededRandom } from './seeded-random.ts';

const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Something that happens to the CA for a while; times in ms from the beginning. */
export interface Trouble {
  readonly kind: 'refuses' | 'hangs' | 'slow';
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Something that happens to the mesh at a time. */
export type Upheaval =
  | { readonly kind: 'all-restart'; readonly atMs: number }
  /** Every pod of a share of the ServiceAccounts is replaced within some minutes. */
  | { readonly kind: 'roll'; readonly atMs: number; readonly share: number }
  /** One replica of the identity service after the other is gone for a while. */
  | { readonly kind: 'identity-restart'; readonly atMs: number; readonly replicas: number };

export interface Plan {
  readonly troubles: readonly Trouble[];
  readonly upheavals: readonly Upheaval[];
}

/** Hours of the outages, the longest first: what a CA at the defaults may be away without harm is 7.2. */
const outageHours = [7, 1, 4, 1, 2, 1, 3];

/**
 * Outages, slow times and restarts, spread over the days by the seed. Two outages are a day apart at least, so that each meets
 * certificates that were given since the last one; everything else comes when it comes, also in the middle of an outage.
 */
export function planOf(seed: number, days: number, longestOutageHours = 7): Plan {
  const random = seededRandom(seed ^ 0x5eed);
  const troubles: Trouble[] = [];
  const upheavals: Upheaval[] = [];
  const spacing = Math.max(2, days / outageHours.length);
  for (let index = 0; (index + 0.8) * spacing < days; index += 1) {
    const length = ((outageHours[index % outageHours.length] ?? 1) / 7) * longestOutageHours * hour;
    const fromMs = (index + 0.5) * spacing * day + random() * 6 * hour;
    troubles.push({ kind: index % 2 === 0 ? 'hangs' : 'refuses', fromMs, untilMs: fromMs + length });
    const slowFromMs = fromMs + length + (1 + 8 * random()) * hour;
    troubles.push({ kind: 'slow', fromMs: slowFromMs, untilMs: slowFromMs + (1 + 3 * random()) * hour });
    upheavals.push({ kind: 'identity-restart', atMs: fromMs + random() * length, replicas: 1 });
    // The hardest: the longest outage begins when those are about to renew that all started at once.
    if (index === 0) upheavals.push({ kind: 'all-restart', atMs: fromMs - 15.5 * hour });
  }
  for (let each = 0; each < days; each += 1) {
    const atMs = (each + random()) * day;
    upheavals.push({ kind: 'roll', atMs, share: 0.01 + 0.02 * random() });
    if (each % 5 === 3) upheavals.push({ kind: 'identity-restart', atMs: atMs + hour, replicas: 3 });
    if (each % 10 === 6) upheavals.push({ kind: 'all-restart', atMs: (each + random()) * day });
  }
  return { troubles, upheavals };
}

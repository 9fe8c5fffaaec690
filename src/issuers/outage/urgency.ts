import type { IssueRequest } from '../issuer.ts';

/** How pressing a request is, as metrics have it. */
export type Urgency = 'first' | 'expiring' | 'early';

export const urgencies: readonly Urgency[] = ['expiring', 'first', 'early'];

/** What a request needs of its place among others. */
export interface Standing {
  readonly urgency: Urgency;
  /** When the answer is needed, ms since 1970: requests are served in this order. */
  readonly neededMs: number;
  /** From when on it is pressed, ms since 1970, however it stood when it came. */
  readonly pressedFromMs: number;
  /** How long it may be told to stay away. */
  readonly bearableMs: number;
}

/** A first certificate counts as one that ends in so long, or in a tenth of its life where that is less. */
const firstWithinMs = 10 * 60_000;

/**
 * Whoever starts is told to come back within a minute; whoever has a certificate, several times before that ends. Those whose
 * certificates end are there again within seconds of the end of an outage, however many others come.
 */
const longestMs = { first: 60_000, expiring: 7_500, early: 5 * 60_000 } as const;
const shareOfLeft = 1 / 8;
const shortestMs = 1_000;

/**
 * One order for all: by the end of the certificate that a workload holds. Workloads that have none yet stand among them
 * as if theirs ended soon, so that neither a flood of starting ones lets others expire, nor many early renewals keep one
 * from starting.
 */
export function standingOf(
  { goodUntil, notBefore, notAfter }: Pick<IssueRequest, 'goodUntil' | 'notBefore' | 'notAfter'>,
  now: Date,
): Standing {
  const nowMs = now.getTime();
  const soonMs = Math.min(firstWithinMs, (notAfter.getTime() - notBefore.getTime()) / 10);
  if (goodUntil === undefined) {
    const neededMs = nowMs + soonMs;
    return { urgency: 'first', neededMs, pressedFromMs: nowMs, bearableMs: bearableMs(undefined, now) };
  }
  const neededMs = goodUntil.getTime();
  const pressedFromMs = neededMs - soonMs;
  const urgency = pressedFromMs <= nowMs ? 'expiring' : 'early';
  return { urgency, neededMs, pressedFromMs, bearableMs: bearableMs(goodUntil, now) };
}

/**
 * How long a workload may be told to stay away whose certificate is good until then; `undefined` where it has none. An end in
 * the past says nothing: a connection that lasts shows the certificate of when it was made, and its workload has another.
 */
function bearableMs(goodUntil: Date | undefined, now: Date): number {
  if (goodUntil === undefined) return longestMs.first;
  const leftMs = goodUntil.getTime() - now.getTime();
  if (leftMs <= 0) return longestMs.early;
  const longest = leftMs <= firstWithinMs ? longestMs.expiring : longestMs.early;
  return Math.min(longest, Math.max(shortestMs, leftMs * shareOfLeft));
}

/** What is known of a request before its token is looked at: what its connection shows. */
export function standingAtDoor(
  goodUntil: Date | undefined,
  now: Date,
): Pick<Standing, 'urgency' | 'bearableMs'> {
  const leftMs = (goodUntil?.getTime() ?? 0) - now.getTime();
  const holds = leftMs > 0 && leftMs <= firstWithinMs ? 'expiring' : 'early';
  return { urgency: goodUntil === undefined ? 'first' : holds, bearableMs: bearableMs(goodUntil, now) };
}

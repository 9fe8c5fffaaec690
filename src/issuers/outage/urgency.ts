import type { IssueRequest } from '../issuer.ts';

/** How pressing a request is, as metrics have it. */
export type Urgency = 'first' | 'expiring' | 'early';

export const urgencies: readonly Urgency[] = ['expiring', 'first', 'early'];

/** What a request needs of its place among others. */
export interface Standing {
  readonly urgency: Urgency;
  /** When the answer is needed, ms since 1970: requests are served in this order. */
  readonly neededMs: number;
  /** How long it may be told to stay away. */
  readonly bearableMs: number;
}

/** A first certificate counts as one that ends in so long, or in a tenth of its life where that is less. */
const firstWithinMs = 10 * 60_000;

/** Whoever starts is told to come back within a minute; whoever has a certificate, several times before that ends. */
const longestMs = { first: 60_000, holder: 5 * 60_000 } as const;
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
    return { urgency: 'first', neededMs: nowMs + soonMs, bearableMs: bearableMs(undefined, now) };
  }
  const neededMs = goodUntil.getTime();
  const urgency = neededMs - nowMs <= soonMs ? 'expiring' : 'early';
  return { urgency, neededMs, bearableMs: bearableMs(goodUntil, now) };
}

/**
 * How long a workload may be told to stay away whose certificate is good until then; `undefined` where it has none. An end in
 * the past says nothing: a connection that lasts shows the certificate of when it was made, and its workload has another.
 */
export function bearableMs(goodUntil: Date | undefined, now: Date): number {
  if (goodUntil === undefined) return longestMs.first;
  const leftMs = goodUntil.getTime() - now.getTime();
  if (leftMs <= 0) return longestMs.holder;
  return Math.min(longestMs.holder, Math.max(shortestMs, leftMs * shareOfLeft));
}

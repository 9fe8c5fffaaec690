/** A certificate is renewed when this share of its life is over, or by chance up to `SPREAD` before. */
const RENEW_BY = 0.7;
/** So that those that started at once do not come back at once. Never later: what is left is what an outage of the CA may last. */
const SPREAD = 0.1;

/** The share of a certificate's life that is left when its renewal begins, at least. */
export const RESERVE = 1 - RENEW_BY;

/** Advice to wait longer than this is not followed: the service may be another one by then. */
const LONGEST_ADVICE_MS = 10 * 60_000;

/** Advice from here on is an appointment, which stands for the back-off; less only says that it was too soon. */
const APPOINTMENT_MS = 1_000;

/** What is left of a certificate is good for this many attempts and more, however long the waits between them are. */
const SHARE_OF_LEFT = 1 / 8;
const SHORTEST_MS = 250;

/** Bounds of the time from one certificate to the request for the next, ms (contract 2.2: 10 s and 24 h). */
export interface RenewalBounds {
  readonly minRefreshMs: number;
  readonly maxRefreshMs: number;
}

/** Milliseconds until a certificate that is good for `leftMs` more is to be renewed. */
export function renewalDelay(
  leftMs: number,
  { minRefreshMs, maxRefreshMs }: RenewalBounds,
  random: () => number,
): number {
  const wishMs = leftMs * (RENEW_BY - SPREAD * random());
  return Math.min(Math.max(wishMs, minRefreshMs), maxRefreshMs);
}

export interface FailedAttempt {
  /** What the back-off says. */
  readonly backoffMs: number;
  /** What the service said, if anything. */
  readonly advisedMs: number | undefined;
  /** How long the present certificate is good; not above 0 where there is none or it has ended. */
  readonly leftMs: number;
}

/** Milliseconds until the next attempt: as advised, but never so long that the certificate might end meanwhile. */
export function retryDelay({ backoffMs, advisedMs = 0, leftMs }: FailedAttempt): number {
  const adviceMs = Math.min(advisedMs, LONGEST_ADVICE_MS);
  const wishMs = adviceMs >= APPOINTMENT_MS ? adviceMs : Math.max(backoffMs, adviceMs);
  return leftMs > 0 ? Math.min(wishMs, Math.max(leftMs * SHARE_OF_LEFT, SHORTEST_MS)) : wishMs;
}

import type { IssuerState } from '../issuers/issuer.ts';
import { issuerErrors } from '../issuers/errors.ts';

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface LifetimeLimits {
  readonly lifetimeMs: number;
  /** How far back the start lies, for peers whose clock is behind. */
  readonly skewMs: number;
}

/** When the issuer ends sooner, workloads come back as soon as it may have been replaced. */
const retryAfterMs = 10_000;

/**
 * From when until when a certificate is good: as long as configured, never longer than the issuer and what stands
 * above it. In whole seconds, which is all that certificates can say.
 *
 * @throws AppError `issuer_unavailable`
 */
export function validityOf(issuer: IssuerState, limits: LifetimeLimits, now: Date): Validity {
  if (issuer.state === 'unavailable') {
    const message = `expected an issuer that can sign, got none (${issuer.reason})`;
    throw issuerErrors.error('issuer_unavailable', message, { retryAfterMs });
  }
  const nowMs = now.getTime();
  const notAfter = wholeSeconds(Math.min(nowMs + limits.lifetimeMs, issuer.notAfter.getTime()));
  if (notAfter.getTime() <= nowMs) {
    const message = `expected an issuer that can sign, got one that ended at ${issuer.notAfter.toISOString()}`;
    throw issuerErrors.error('issuer_unavailable', message, { retryAfterMs });
  }
  return { notBefore: wholeSeconds(nowMs - limits.skewMs), notAfter };
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

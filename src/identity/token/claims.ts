import { quoted } from '../../runtime/quoted.ts';
import { identityErrors } from '../errors.ts';
import type { JsonObject } from './compact-token.ts';

/** What the claims of an acceptable token must be. */
export interface ClaimExpectation {
  /** Any issuer, where it is for another to decide. */
  readonly issuer: string | undefined;
  readonly audience: string;
  readonly now: Date;
  /** How far the clocks of the token's issuer and of this machine may be apart. */
  readonly skewMs: number;
}

/** The registered claims (RFC 7519, section 4.1) that matter here. */
export interface CheckedClaims {
  readonly subject: string;
  readonly expiresAt: Date;
}

const maxSubjectLength = 1024;
/** The end of the year 9999: later dates are of no use and do not fit everywhere. */
const lastSecond = 253_402_300_799;

/**
 * Checks issuer, audience and times. Cheap, so it comes before the signature; until that has been verified,
 * what it returns is only a claim. Messages hold what was expected and never a value of the token.
 *
 * @throws AppError `token_refused`
 */
export function checkClaims(claims: JsonObject, expected: ClaimExpectation): CheckedClaims {
  checkIssuer(claims['iss'], expected.issuer);
  checkAudience(claims['aud'], expected.audience);
  return { subject: subjectOf(claims['sub']), expiresAt: checkTimes(claims, expected) };
}

function checkIssuer(issuer: unknown, expected: string | undefined): void {
  if (expected === undefined || issuer === expected) return;
  throw refused(`issuer ${quoted(expected)}`, typeof issuer === 'string' ? 'another one' : 'none');
}

/** Exactly one, and ours: a token that is also good elsewhere could have been taken there. */
function checkAudience(audience: unknown, expected: string): void {
  const audiences: unknown[] = Array.isArray(audience) ? audience : [audience];
  if (audiences.length === 1 && audiences[0] === expected) return;
  throw refused(`exactly one audience, ${quoted(expected)}`, audienceFault(audiences, expected));
}

function audienceFault(audiences: readonly unknown[], expected: string): string {
  if (audiences.length === 0 || audiences[0] === undefined) return 'none';
  if (audiences.includes(expected)) return `it and ${audiences.length - 1} more`;
  return audiences.length === 1 ? 'another one' : `${audiences.length} others`;
}

function subjectOf(subject: unknown): string {
  if (typeof subject === 'string' && subject !== '' && subject.length <= maxSubjectLength) return subject;
  throw refused(`a subject of 1 to ${maxSubjectLength} characters`, 'none');
}

function checkTimes(claims: JsonObject, { now, skewMs }: ClaimExpectation): Date {
  const nowMs = now.getTime();
  const expiresAt = timeOf(claims, 'exp');
  if (expiresAt === undefined) throw refused('an expiry', 'none');
  if (nowMs - skewMs >= expiresAt) {
    throw refused('a token that is still valid', `one that expired ${apart(nowMs, expiresAt)} ago`);
  }
  const validFrom = timeOf(claims, 'nbf') ?? nowMs;
  if (validFrom > nowMs + skewMs) {
    throw refused('a token that is valid already', `one that will be in ${apart(validFrom, nowMs)}`);
  }
  const issuedAt = timeOf(claims, 'iat') ?? nowMs;
  if (issuedAt > nowMs + skewMs) {
    throw refused('a token of the past', `one issued ${apart(issuedAt, nowMs)} from now; compare the clocks`);
  }
  return new Date(expiresAt);
}

/** Milliseconds since 1970. */
function timeOf(claims: JsonObject, name: string): number | undefined {
  const seconds = claims[name];
  if (seconds === undefined) return undefined;
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= lastSecond) return seconds * 1000;
  throw refused(`${name} to be seconds since 1970`, 'something else');
}

function apart(laterMs: number, earlierMs: number): string {
  return `${Math.round((laterMs - earlierMs) / 1000)} s`;
}

function refused(expected: string, got: string): Error {
  return identityErrors.error('token_refused', `expected ${expected}, got ${got}`);
}

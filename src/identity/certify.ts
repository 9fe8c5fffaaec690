import type { IssuedCertificate, Issuer } from '../issuers/issuer.ts';
import { Csr, MAX_CSR_BYTES } from '../pki/csr.ts';
import type { MeshDomain, WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { quoted } from '../runtime/quoted.ts';
import type { Admission, Caller } from './admission.ts';
import type { Audit } from './audit.ts';
import { checkCsr } from './csr-policy.ts';
import { identityErrors } from './errors.ts';
import type { Holdings } from './holdings.ts';
import { maxTokenLength } from './token/compact-token.ts';
import type { TokenVerifier, VerifiedToken } from './token/token-verifier.ts';
import { validityOf, type LifetimeLimits } from './validity.ts';

/** A request for a certificate as it came: every part of it is a claim. */
export interface CertifyAsk {
  readonly identity: string;
  /** As the token file has it, with whatever white space is around it (contract 1.1). */
  readonly token: Uint8Array;
  /** PKCS #10 in DER. */
  readonly csr: Uint8Array;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

export type Certify = (ask: CertifyAsk) => Promise<IssuedCertificate>;

export interface CertifyNeeds {
  readonly admission: Admission;
  readonly tokens: TokenVerifier;
  readonly domain: MeshDomain;
  /** Verifies what it returns. */
  readonly issuer: Issuer;
  readonly limits: LifetimeLimits;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly holdings: Holdings;
  /** `Csr.parse`, unless given. */
  readonly parseCsr?: (der: Uint8Array) => Csr;
}

/**
 * Token and signing request to certificate. The order of the steps is the security argument: each costs more than
 * the one before, and relies on what that one has established. docs/issuance-cycle.md explains them by these numbers.
 *
 * The promise rejects with an AppError whose kind is the contract's status (contract 1.2).
 */
export function certifier(needs: CertifyNeeds): Certify {
  const { admission, tokens, domain, issuer, limits, clock, audit, holdings, parseCsr = parse } = needs;
  return async (ask) => {
    const trail = audit.open(ask.identity, ask.caller);
    try {
      // 1. Sizes, then the rates of all and of this caller, then whether anybody could be served now.
      checkSizes(ask);
      admission.admitCaller(ask.caller);
      issuer.checkOpen?.(ask.caller.goodUntil);
      // 2. The token is genuine, current, and meant for this service alone.
      const token = await tokens.verify(tokenText(ask.token), ask.signal);
      trail.token(token);
      // 3. Who it is follows from the token only, and is who was asked for; the rate of this ServiceAccount.
      const identity = domain.identity(token.namespace, token.serviceAccount);
      trail.identity(identity);
      checkAsked(ask.identity, identity, token);
      admission.admitIdentity(identity);
      const holder = { identity, token, caller: ask.caller };
      const goodUntil = holdings.asked(holder);
      // 4. The signing request is well-formed, signed with its own key, and asks for no more than that identity.
      const csr = parseCsr(ask.csr);
      trail.csr(csr);
      checkCsr(csr, identity);
      // 5. As long as configured, and no longer than the issuer lasts.
      const validity = validityOf(issuer.state.value, limits, clock.now());
      // 6. The issuer signs, within its deadline and by urgency; 7. its answer is verified before it gets here (CheckedIssuer).
      const { dnsName, spiffeId: uri } = identity;
      const request = { identity, csr, dnsName, uri, ...validity, ...(goodUntil && { goodUntil }) };
      const issued = await issuer.issue(request, ask.signal);
      // 8. One record for every answer.
      holdings.given(holder, issued.leaf.notAfter);
      trail.given(issued);
      return issued;
    } catch (error) {
      trail.refused(error);
      throw error;
    }
  };
}

function parse(der: Uint8Array): Csr {
  return Csr.parse(der);
}

/** No DNS name is longer (RFC 1035, section 2.3.4). */
const maxIdentityLength = 253;
/** Around the token proper a file may have a few line ends. */
const maxTokenBytes = maxTokenLength + 16;

function checkSizes({ identity, token, csr }: CertifyAsk): void {
  checkSize('identity', identity.length, maxIdentityLength);
  checkSize('token', token.byteLength, maxTokenBytes);
  checkSize('certificate signing request', csr.byteLength, MAX_CSR_BYTES);
}

function checkSize(part: string, size: number, max: number): void {
  if (size === 0) throw identityErrors.error('request_incomplete', `expected ${part}, got none`);
  if (size <= max) return;
  throw identityErrors.error('request_too_large', `expected ${part} of at most ${max} bytes, got ${size}`);
}

/** Bytes beyond ASCII become characters that no token has, and are refused as such. */
function tokenText(token: Uint8Array): string {
  return Buffer.from(token).toString('latin1').trim();
}

function checkAsked(asked: string, identity: WorkloadIdentity, { subject }: VerifiedToken): void {
  if (asked === identity.dnsName) return;
  const message = `expected ${identity.dnsName}, as the token of ${quoted(subject)} proves, got ${quoted(asked)}`;
  throw identityErrors.error('identity_mismatch', message);
}

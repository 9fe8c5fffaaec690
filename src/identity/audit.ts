import type { IssuedCertificate } from '../issuers/issuer.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Csr } from '../pki/csr.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage, isAppError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { quoted } from '../runtime/quoted.ts';
import { RefusalLog } from '../runtime/refusal-log.ts';
import type { Caller } from './admission.ts';
import type { IdentityMetrics } from './identity-metrics.ts';
import type { VerifiedToken } from './token/token-verifier.ts';

/** What is learnt of one request on its way; ends in one record. */
export interface AuditTrail {
  /** The token has been verified; what it says is true. */
  token(token: VerifiedToken): void;
  /** The workload is who it says. */
  identity(identity: WorkloadIdentity): void;
  csr(csr: Csr): void;
  given(issued: IssuedCertificate): void;
  refused(error: unknown): void;
}

/** Told of every answer too, for those who look at the cluster and not at the log. */
export interface AuditEvents {
  given(identity: WorkloadIdentity, leaf: Certificate): void;
  /** `identity` is missing where none was proved. */
  refused(identity: WorkloadIdentity | undefined, code: string, reason: string): void;
}

const refusedMessage = 'certificate refused';

/** Refusals that no rate holds back: those by the rates themselves, and those that come before them; and what all meet at once. */
const unbounded = new Set([
  'rate_limited',
  'request_incomplete',
  'request_too_large',
  'token_review_unavailable',
  'issuer_unavailable',
  'issuer_outage',
  'issuer_overloaded',
]);

/**
 * Keeps one record for every answer, given or refused: who asked from where, what was proved, what was decided. Only of
 * the refusals that anybody can bring about as fast as they like most are told by their number, while metrics count each.
 * Never a token or a signing request; of the key in it, the fingerprint.
 */
export class Audit {
  readonly #log: Log;
  readonly #unbounded: RefusalLog;
  readonly #metrics: IdentityMetrics;
  readonly #clock: Clock;
  readonly #events: AuditEvents | undefined;

  constructor(log: Log, metrics: IdentityMetrics, clock: Clock, events?: AuditEvents) {
    this.#log = log;
    this.#unbounded = new RefusalLog(log, clock, refusedMessage);
    this.#metrics = metrics;
    this.#clock = clock;
    this.#events = events;
  }

  /** `asked` is the name in the request: a claim, and shown as one. */
  open(asked: string, caller: Caller): AuditTrail {
    const startedMs = this.#clock.now().getTime();
    const record: Record<string, unknown> = {
      asked: quoted(asked),
      peerAddress: caller.address,
      peerName: caller.name,
    };
    let proved: WorkloadIdentity | undefined;
    const close = (decision: string, code: string): void => {
      const elapsedMs = Math.max(0, this.#clock.now().getTime() - startedMs);
      this.#metrics.answers.inc({ decision, code });
      this.#metrics.seconds.observe({ decision }, elapsedMs / 1000);
      Object.assign(record, { decision, code });
    };
    return {
      token: (token) => void Object.assign(record, tokenFields(token)),
      identity: (identity) => {
        proved = identity;
        Object.assign(record, { identity: identity.dnsName });
      },
      csr: ({ publicKey }) => void Object.assign(record, { publicKeySha256: publicKey.fingerprint }),
      given: (issued) => {
        close('given', 'ok');
        this.#log.info({ ...record, ...certificateFields(issued) }, 'certificate given');
        if (proved !== undefined) this.#events?.given(proved, issued.leaf);
      },
      refused: (error) => {
        const code = isAppError(error) ? error.code : 'internal';
        close('refused', code);
        const reason = errorMessage(error);
        const fields = { ...record, code, reason };
        if (unbounded.has(code)) this.#unbounded.tell(fields);
        else this.#log.warn(fields, refusedMessage);
        this.#events?.refused(proved, code, reason);
      },
    };
  }
}

function tokenFields({ subject, issuer, expiresAt, ...token }: VerifiedToken): object {
  const { podName, podUid, nodeName, credentialId } = token;
  const bound = { podName, podUid, nodeName, credentialId };
  return { tokenSubject: subject, tokenIssuer: issuer, tokenExpires: expiresAt, ...bound };
}

function certificateFields({ leaf, intermediates }: IssuedCertificate): object {
  const { serial, fingerprint, notBefore, notAfter } = leaf;
  return { serial, fingerprint, notBefore, notAfter, issuer: intermediates[0]?.label };
}

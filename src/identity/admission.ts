import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { identityErrors } from './errors.ts';
import { RateLimit, type Rate } from './rate-limit.ts';

/** Who sent a request, as far as the connection proves it. */
export interface Caller {
  readonly address: string;
  /** The name in the verified client certificate; a workload that has none yet is known by its address only. */
  readonly name: string | undefined;
  /** End of that certificate. */
  readonly goodUntil?: Date;
}

/** Requests a second, for everybody together, for one caller and for one ServiceAccount. */
export interface AdmissionRates {
  readonly total: number;
  readonly perPeer: number;
  readonly perServiceAccount: number;
}

/**
 * Holds back those who ask too often. Before the token is verified only the connection counts, never a name in the
 * token: whoever forges tokens must not use up the allowance of the one they name. Callers that prove a name with
 * their certificate have allowances apart from those that do not, so a flood of strangers, even from the same
 * address, does not stop renewals.
 */
export class Admission {
  readonly #total: RateLimit;
  readonly #perPeer: RateLimit;
  readonly #perServiceAccount: RateLimit;

  constructor(rates: AdmissionRates, clock: Clock) {
    this.#total = new RateLimit(rate(rates.total), clock);
    this.#perPeer = new RateLimit(rate(rates.perPeer), clock);
    this.#perServiceAccount = new RateLimit(rate(rates.perServiceAccount), clock);
  }

  /**
   * The caller's own limit comes first, so that what it holds back is not taken from all.
   *
   * @throws AppError `rate_limited`
   */
  admitCaller({ address, name }: Caller): void {
    const peer = name === undefined ? `the address ${address}` : `${name} at ${address}`;
    check(this.#perPeer.take(peer), peer, 'KEDGE_RATE_PER_PEER');
    const everybody = name === undefined ? 'callers without a certificate' : 'callers with a certificate';
    check(this.#total.take(everybody), everybody, 'KEDGE_RATE_TOTAL');
  }

  /** @throws AppError `rate_limited` */
  admitIdentity({ dnsName }: WorkloadIdentity): void {
    check(this.#perServiceAccount.take(dnsName), dnsName, 'KEDGE_RATE_PER_SERVICE_ACCOUNT');
  }
}

/** Two seconds' worth at once: workloads of one node or deployment start together. */
function rate(perSecond: number): Rate {
  return { perSecond, burst: 2 * perSecond };
}

function check(waitMs: number, whose: string, setting: string): void {
  if (waitMs === 0) return;
  const message = `expected fewer requests of ${whose} (${setting}), try again in ${waitMs} ms`;
  throw identityErrors.error('rate_limited', message, { retryAfterMs: waitMs });
}

import { pathsToAnchors } from '../../pki/anchor-paths.ts';
import { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import { certManagerErrors } from './errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../issuer.ts';
import type { CertificateRequests } from './certificate-requests.ts';
import { FailedRequests } from './failed-requests.ts';
import { readableCertificates } from '../readable-certificates.ts';
import { requestName, requestObject, type IssuerReference } from './request-object.ts';
import type { RequestState, Verdict } from './request-state.ts';

export interface CertManagerIssuerOptions {
  readonly requests: CertificateRequests;
  readonly issuerRef: IssuerReference;
  /** Told to people by a label of each request. */
  readonly replica: string;
  readonly anchors: Latest<TrustBundle | undefined>;
  /** Whether every request of the mesh has been seen once, and why they cannot be followed now. */
  readonly synced: Latest<boolean>;
  readonly problem: Latest<string | undefined>;
  readonly clock: Clock;
  /** Milliseconds until a request is no longer waited for. */
  readonly timeoutMs: number;
}

const retryAfterMs = 5_000;
const intervalMs = 60_000;
/** A clock that is further ahead than this is wrong. */
const aheadMs = 3_000;

/** One `CertificateRequest` for each certificate: any issuer of cert-manager signs it, and whoever approves them may refuse. */
export class CertManagerIssuer implements Issuer {
  readonly #options: CertManagerIssuerOptions;
  readonly #state: LatestValue<IssuerState>;
  readonly #failed = new FailedRequests();
  /** What stood above the last answer, the issuer's certificate first. */
  #above: readonly Certificate[] = [];

  constructor(options: CertManagerIssuerOptions) {
    this.#options = options;
    this.#state = new LatestValue(this.#present(), same);
    const update = (): void => this.#refresh();
    options.anchors.subscribe(update);
    options.synced.subscribe(update);
    options.problem.subscribe(update);
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  /** Removes requests that were left over, and lets go of a CA that has ended, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { requests, synced, clock } = this.#options;
    try {
      await synced.until((value) => value, signal);
      for (;;) {
        await requests.sweep();
        this.#refresh();
        await clock.sleep(intervalMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Rejects with an error of `certManagerErrors` that names the request and gives cert-manager's own reason. */
  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { problem, issuerRef } = this.#options;
    if (problem.value !== undefined) throw cannotFollow(problem.value);
    const name = requestName(request, issuerRef);
    const issued = await this.#ask(name, request, signal);
    const notAfter = this.#learn(issued);
    if (notAfter === undefined || issued.leaf.notAfter <= notAfter) return issued;
    // cert-manager's own CAs sign beyond their end; from now on that end is known.
    return this.#ask(`${name}-shorter`, { ...request, notAfter }, signal);
  }

  async #ask(name: string, request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const state = await this.#settle(name, request, signal);
    this.#failed.signed();
    const issued = answerOf(request, state);
    await this.#untilValid(issued.leaf, signal);
    return issued;
  }

  async #settle(name: string, request: IssueRequest, signal: AbortSignal): Promise<RequestState> {
    const { clock, issuerRef, replica, requests, timeoutMs } = this.#options;
    const make = (): object =>
      requestObject(request, { name, replica, issuerRef, timeoutMs, now: clock.now() });
    const late = (): Error => pending(name, timeoutMs, requests.get(name));
    try {
      const state = await withinDeadline({ clock, ms: timeoutMs, signal, late }, (either) =>
        requests.settle(name, make, either),
      );
      if (state.verdict === 'issued') return state;
      throw refusal(name, state);
    } catch (error) {
      if (errorCode(error) !== 'certificate_request_failed' || !this.#failed.add(request.dnsName))
        throw error;
      const options = { cause: error, retryAfterMs };
      throw certManagerErrors.error('certificate_requests_failing', errorMessage(error), options);
    }
  }

  /** cert-manager's own CAs date nothing back, and clocks are never quite the same. */
  async #untilValid({ notBefore }: Certificate, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const earlyMs = notBefore.getTime() - clock.now().getTime();
    if (earlyMs > 0 && earlyMs <= aheadMs) await clock.sleep(earlyMs, signal);
  }

  #refresh(): void {
    this.#state.set(this.#present());
  }

  /** How long the CA lasts is only to be learnt from what it signs; no longer than an anchor, at any rate. */
  #present(): IssuerState {
    const { anchors, clock, synced, problem } = this.#options;
    const [longest] = (anchors.value?.anchors ?? []).toSorted(byEnd);
    if (longest === undefined) return { state: 'unavailable', reason: 'there are no trust anchors' };
    if (!synced.value) {
      const reason = problem.value ?? 'the CertificateRequests have not been listed yet';
      return { state: 'unavailable', reason };
    }
    const above = this.#above.some(({ notAfter }) => notAfter <= clock.now()) ? [] : this.#above;
    const [issuer, last = longest] = [above[0], above.toSorted(byEnd).at(-1)];
    return {
      state: 'ready',
      asksCa: true,
      notBefore: last.notBefore,
      notAfter: last.notAfter,
      ...(issuer && { fingerprint: issuer.fingerprint }),
      ...(problem.value !== undefined && { degraded: problem.value }),
    };
  }

  /** Gives the end of the CA that signed, or of the first one above it to end. */
  #learn({ leaf, intermediates }: IssuedCertificate): Date | undefined {
    const { anchors, clock } = this.#options;
    const bundle = anchors.value;
    if (bundle === undefined) return undefined;
    try {
      const chain = { leaf, intermediates, bundle, at: clock.now(), usage: 'both' } as const;
      this.#above = pathsToAnchors(chain)[0]?.path.slice(1) ?? [];
      this.#refresh();
      return this.#above.toSorted(byEnd).at(-1)?.notAfter;
    } catch (error) {
      // It will be refused, and nothing is to be learnt from it.
      if (isAppError(error)) return undefined;
      throw error;
    }
  }
}

/** The longest first. */
function byEnd(a: Certificate, b: Certificate): number {
  return b.notAfter.getTime() - a.notAfter.getTime();
}

/** The leaf is the one with the key that was asked for, wherever it stands; all else is a bag that a way up is looked for in. */
function answerOf(request: IssueRequest, { certificate = '', ca = '' }: RequestState): IssuedCertificate {
  const given = Certificate.parsePem(certificate);
  const leaf = given.find(({ publicKey }) => publicKey.equals(request.csr.publicKey)) ?? given[0];
  if (leaf === undefined) throw new TypeError('expected a certificate or an error, got neither');
  return { leaf, intermediates: [...given.filter((one) => one !== leaf), ...readableCertificates(ca)] };
}

const refusals: Readonly<Record<Exclude<Verdict, 'pending' | 'issued'>, string>> = {
  denied: 'it was denied',
  invalid: 'it is invalid to the issuer',
  failed: 'the issuer failed',
};

/** An issuer fails a request for good also where its CA is away for a moment, so only the other two are final. */
function refusal(name: string, { verdict, reason }: RequestState): Error {
  const why = verdict === 'pending' || verdict === 'issued' ? verdict : refusals[verdict];
  const message = `expected the CertificateRequest ${name} to be signed, got none: ${why} (${reason || 'no reason given'})`;
  if (verdict !== 'failed') return certManagerErrors.error('certificate_request_refused', message);
  return certManagerErrors.error('certificate_request_failed', message, { retryAfterMs });
}

function pending(name: string, ms: number, state: RequestState | undefined): Error {
  const why = state?.reason ?? 'it was not seen to be there';
  const message = `expected the CertificateRequest ${name} to be decided within ${ms} ms, got none: ${why}`;
  return certManagerErrors.error('certificate_request_pending', message, { retryAfterMs });
}

function cannotFollow(problem: string): Error {
  const message = `expected to follow CertificateRequests, got ${problem}`;
  return certManagerErrors.error('certificate_request_not_made', message, { retryAfterMs });
}

function same(a: IssuerState, b: IssuerState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import { pkiErrors } from '../pki/errors.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinDeadline } from '../runtime/deadline.ts';
import { AppError, errorMessage, isAppError } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { CheckedCertificate } from './check-issued.ts';
import { checkIssued, formatRule, refused } from './check-issued.ts';
import { issuerErrors } from './errors.ts';
import { IssuedReport } from './issued-report.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from './issuer.ts';
import type { IssuerMetrics } from './issuer-metrics.ts';

export interface CheckedIssuerOptions {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: IssuerMetrics;
  /** Milliseconds after which an answer is no longer waited for. */
  readonly timeoutMs: number;
}

const retryAfterMs = 5000;

/** Stands around every issuer: gives it a deadline, and lets no certificate pass that has not been verified. */
export class CheckedIssuer implements Issuer {
  readonly #inner: Issuer;
  readonly #options: CheckedIssuerOptions;
  readonly #report: IssuedReport;

  constructor(inner: Issuer, options: CheckedIssuerOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#report = new IssuedReport(options.log, options.metrics);
  }

  get state(): Latest<IssuerState> {
    return this.#inner.state;
  }

  checkOpen(goodUntil?: Date): void {
    this.#inner.checkOpen?.(goodUntil);
  }

  /** What is given may hold fewer and other certificates beside the leaf than the issuer sent: those that peers need. */
  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.now().getTime();
    const done = (result: string): void => {
      metrics.requests.inc({ result });
      metrics.seconds.observe({ result }, Math.max(0, clock.now().getTime() - startedMs) / 1000);
    };
    try {
      const checked = this.#check(request, await this.#ask(request, signal));
      this.#report.tell(request, checked);
      done('ok');
      return checked;
    } catch (error) {
      done(resultOf(error));
      throw error;
    }
  }

  #ask(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, timeoutMs } = this.#options;
    const late = (): Error => {
      const message = `expected an answer within ${timeoutMs} ms, got none`;
      return issuerErrors.error('issuer_timeout', message, { retryAfterMs });
    };
    const answer = withinDeadline({ clock, ms: timeoutMs, signal, late }, (either) =>
      this.#inner.issue(request, either),
    );
    return answer.catch((error: unknown) => this.#unreadable(request, error));
  }

  /** An issuer lets the errors of reading what its CA sent pass, or has one of its own: that, too, is a wrong answer. */
  #unreadable(request: IssueRequest, error: unknown): never {
    const isOfTheAnswer =
      isAppError(error) && (error.kind === 'internal' || Object.hasOwn(pkiErrors.codes, error.code));
    if (!isOfTheAnswer) throw withHint(error);
    return this.#judge(request, {}, (broken) => {
      throw refused(formatRule.name, errorMessage(error), broken, error);
    });
  }

  #check(request: IssueRequest, issued: IssuedCertificate): CheckedCertificate {
    const bundle = this.#options.anchors.value;
    if (bundle === undefined) {
      throw issuerErrors.error('issuer_unavailable', 'expected trust anchors, got none yet', {
        retryAfterMs,
      });
    }
    const { serial, fingerprint } = issued.leaf;
    const answer = { request, issued, bundle, now: this.#options.clock.now() };
    return this.#judge(request, { serial, fingerprint }, (broken) => checkIssued(answer, broken));
  }

  /** What the CA sent is for the log alone: the workload is told the rule, and nobody sees the certificate. */
  #judge<T>(request: IssueRequest, fields: object, verdict: (broken: (rule: string) => void) => T): T {
    const { log, metrics } = this.#options;
    let rule = '';
    try {
      return verdict((name) => void (rule = name));
    } catch (cause) {
      if (rule === '') throw cause;
      metrics.refusedAnswers.inc({ rule });
      log.error(
        { identity: request.dnsName, ...fields, rule, reason: errorMessage(cause) },
        'the issuer answered with a wrong certificate, which was thrown away',
      );
      const message = `the certificate from the issuer breaks the rule "${rule}"; the log of the identity service says how`;
      throw issuerErrors.error('issued_certificate_refused', message, { cause });
    }
  }
}

/** Whoever is told that there is no CA now is told when to come back as well. */
function withHint(error: unknown): unknown {
  if (!isAppError(error) || error.kind !== 'unavailable' || error.retryAfterMs !== undefined) return error;
  return new AppError(error.code, error.kind, error.message, { cause: error, retryAfterMs });
}

function resultOf(error: unknown): string {
  if (!isAppError(error)) return 'error';
  if (error.code === 'issued_certificate_refused') return 'refused';
  return error.kind === 'unavailable' || error.kind === 'cancelled' ? error.kind : 'error';
}

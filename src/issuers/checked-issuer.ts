import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinDeadline } from '../runtime/deadline.ts';
import { errorMessage, isAppError } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { checkIssued } from './check-issued.ts';
import { issuerErrors } from './errors.ts';
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

  constructor(inner: Issuer, options: CheckedIssuerOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  get state(): Latest<IssuerState> {
    return this.#inner.state;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.now().getTime();
    const done = (result: string): void => {
      metrics.requests.inc({ result });
      metrics.seconds.observe({ result }, Math.max(0, clock.now().getTime() - startedMs) / 1000);
    };
    try {
      const issued = await this.#ask(request, signal);
      this.#check(request, issued);
      done('ok');
      return issued;
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
    return withinDeadline({ clock, ms: timeoutMs, signal, late }, (either) =>
      this.#inner.issue(request, either),
    );
  }

  #check(request: IssueRequest, issued: IssuedCertificate): void {
    const { anchors, clock, log, metrics } = this.#options;
    const bundle = anchors.value;
    if (bundle === undefined) {
      throw issuerErrors.error('issuer_unavailable', 'expected trust anchors, got none yet', {
        retryAfterMs,
      });
    }
    try {
      checkIssued({ request, issued, bundle, now: clock.now() }, (rule) =>
        metrics.refusedAnswers.inc({ rule }),
      );
    } catch (error) {
      const { serial, fingerprint } = issued.leaf;
      const fields = { identity: request.dnsName, serial, fingerprint, reason: errorMessage(error) };
      log.error(fields, 'the issuer answered with a wrong certificate, which was thrown away');
      throw error;
    }
  }
}

function resultOf(error: unknown): string {
  if (!isAppError(error)) return 'error';
  if (error.code === 'issued_certificate_refused') return 'refused';
  return error.kind === 'unavailable' || error.kind === 'cancelled' ? error.kind : 'error';
}

import type { Log } from '../runtime/log.ts';
import type { CheckedCertificate } from './check-issued.ts';
import type { IssueRequest } from './issuer.ts';
import type { IssuerMetrics } from './issuer-metrics.ts';

/** Less is asked of a CA that counts from a clock of its own and when it gets round to it: that is no shorter life. */
const toleranceMs = 120_000;

/**
 * Tells what is not wrong with the certificates of an issuer, but good to know: the anchors they chain to, and that they
 * end sooner than asked. Metrics count each; the log has a record for each change.
 */
export class IssuedReport {
  readonly #log: Log;
  readonly #metrics: IssuerMetrics;
  #anchors = '';
  #shortened = false;

  constructor(log: Log, metrics: IssuerMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  tell(request: IssueRequest, checked: CheckedCertificate): void {
    this.#tellAnchors(checked);
    this.#tellLifetime(request, checked);
  }

  #tellAnchors({ anchors }: CheckedCertificate): void {
    for (const { fingerprint } of anchors) this.#metrics.anchored.inc({ anchor: fingerprint });
    const present = anchors
      .map(({ fingerprint }) => fingerprint)
      .toSorted()
      .join(' ');
    if (present === this.#anchors) return;
    const first = this.#anchors === '';
    this.#anchors = present;
    if (first) return;
    const fields = { anchors: anchors.map(({ label, fingerprint }) => ({ label, fingerprint })) };
    this.#log.warn(
      fields,
      'certificates chain to other anchors than before: peers that hold none of these refuse them',
    );
  }

  #tellLifetime(request: IssueRequest, { leaf }: CheckedCertificate): void {
    const shortened = request.notAfter.getTime() - leaf.notAfter.getTime() > toleranceMs;
    if (shortened) this.#metrics.shortened.inc();
    if (shortened && !this.#shortened) {
      const fields = { asked: request.notAfter, given: leaf.notAfter };
      this.#log.warn(fields, 'the CA gives certificates that end sooner than asked');
    }
    this.#shortened = shortened;
  }
}

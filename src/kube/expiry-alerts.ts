import { errorCode, errorMessage } from '../runtime/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ObjectReference } from './event-series.ts';
import type { KubeClient } from './kube-client.ts';
import { microTime } from './micro-time.ts';
import { events } from './resources.ts';

/** Something that ends, and that somebody has to replace before. */
export interface Expiring {
  /** `trust anchor`, `issuer`, `webhook certificate`. */
  readonly what: string;
  /** Where it is kept. */
  readonly regarding: ObjectReference;
  /** SHA-256 in hex, by which one is told from its successor. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface ExpiryAlertsOptions {
  readonly client: Pick<KubeClient, 'create'>;
  /** Who says it: the process, such as `kedge-identity`; and which of its replicas. */
  readonly controller: string;
  readonly instance: string;
  /** What there is now. */
  readonly expiring: () => readonly Expiring[];
  readonly clock: Clock;
  readonly log: Log;
}

const dayMs = 86_400_000;
/** Days before the end at which it is told. */
const thresholds = [3, 14, 60];
/** One with a shorter life than twice the threshold was made that close to its end on purpose. */
const shareOfLife = 0.5;
const checkMs = 3_600_000;
/** What ends is loaded by then. */
const firstCheckMs = 60_000;

/**
 * A Warning Event when something comes within 60, 14 and 3 days of its end. The name of the Event follows from what ends
 * and from the threshold, so that all replicas together, and one that was restarted, tell each once; but the API server
 * forgets Events, as a rule after an hour, and a process that starts after that tells the present one again.
 */
export class ExpiryAlerts {
  readonly #options: ExpiryAlertsOptions;
  readonly #told = new Set<string>();

  constructor(options: ExpiryAlertsOptions) {
    this.#options = options;
  }

  /** Looks once an hour, and a minute after the start, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      for (let waitMs = firstCheckMs; ; waitMs = checkMs) {
        await clock.sleep(waitMs, signal);
        await this.#look(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    for (const one of this.#options.expiring()) {
      const days = thresholdOf(one, now);
      if (days !== undefined) await this.#tell(one, days, now, signal);
    }
  }

  async #tell(one: Expiring, days: number, now: Date, signal: AbortSignal): Promise<void> {
    const name = `${one.regarding.name.slice(0, 200)}.${one.fingerprint.slice(0, 16)}.${days}d`;
    if (this.#told.has(name)) return;
    const { client, controller, instance, log } = this.#options;
    const { what, regarding, fingerprint } = one;
    const until = one.notAfter.toISOString();
    const namespace = regarding.namespace ?? 'default';
    const note = `the ${what} ${fingerprint.slice(0, 16)} ends at ${until}, within ${days} days; replace it before`;
    const event = {
      metadata: { namespace, name },
      eventTime: microTime(now),
      reportingController: controller,
      reportingInstance: instance,
      regarding,
      type: 'Warning',
      reason: 'CertificateNearsEnd',
      action: 'Replace',
      note,
    };
    try {
      await client.create(events, { namespace }, event, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (errorCode(error) !== 'kube_exists') {
        log.debug({ reason: errorMessage(error) }, 'an alert could not be written, and will be tried again');
        return;
      }
    }
    this.#told.add(name);
    log.warn({ what, fingerprint, until, withinDays: days }, 'a certificate nears its end');
  }
}

/** The narrowest threshold that has been passed. */
function thresholdOf({ notBefore, notAfter }: Expiring, now: Date): number | undefined {
  const lifeMs = notAfter.getTime() - notBefore.getTime();
  const leftMs = notAfter.getTime() - now.getTime();
  return thresholds.find((days) => leftMs <= days * dayMs && days * dayMs <= lifeMs * shareOfLife);
}

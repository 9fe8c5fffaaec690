import type { Certificate } from '../pki/certificate.ts';
import type { Credentials } from '../pki/credentials.ts';
import { sleepUntil } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Latest } from '../runtime/latest.ts';

export interface CertificateHealthOptions {
  readonly clock: Clock;
  /** Told why all is not well, or undefined that it is again. */
  readonly degraded: (reason: string | undefined) => void;
  readonly signal: AbortSignal;
}

/** Renewal is due at about 70 % of what was left when the certificate came; with its jitter it is over by here. */
const overdueAt = 0.8;

/**
 * Says when the certificate in use should have been replaced long ago and has not been, whatever the cause, and until
 * when it is still good.
 */
export function watchCertificate(
  credentials: Latest<Credentials | undefined>,
  { clock, degraded, signal }: CertificateHealthOptions,
): void {
  let watched: Certificate | undefined;
  let stop = new AbortController();
  const watch = (now: Credentials | undefined): void => {
    // A new trust bundle makes new credentials with the same certificate.
    if (now === undefined || now.leaf === watched) return;
    watched = now.leaf;
    stop.abort();
    stop = new AbortController();
    degraded(undefined);
    void tellWhenOverdue(now.leaf, clock, degraded, AbortSignal.any([signal, stop.signal]));
  };
  watch(credentials.value);
  credentials.subscribe(watch);
}

async function tellWhenOverdue(
  { notAfter }: Certificate,
  clock: Clock,
  degraded: (reason: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now().getTime();
  const until = notAfter.toISOString();
  try {
    await sleepUntil(clock, new Date(now + overdueAt * (notAfter.getTime() - now)), signal);
    degraded(`not renewed, good until ${until}`);
    await sleepUntil(clock, notAfter, signal);
    degraded(`expired at ${until}, peers refuse it`);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

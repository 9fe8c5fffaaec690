import { issuerErrors } from '../../src/issuers/errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../../src/issuers/issuer.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { day, type Trouble } from './plan.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface SimulatedCaOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** Told of each call that reaches it. */
  readonly onCall: () => void;
}

/** Answers after some time, or not, or with an error. What it signs holds nothing but an end. */
export class SimulatedCa implements Issuer {
  readonly state: LatestValue<IssuerState>;
  readonly #options: SimulatedCaOptions;
  trouble: Trouble['kind'] | undefined;

  constructor(options: SimulatedCaOptions) {
    this.#options = options;
    const notBefore = options.clock.now();
    const notAfter = new Date(notBefore.getTime() + 3_650 * day);
    this.state = new LatestValue<IssuerState>({ state: 'ready', notBefore, notAfter });
  }

  issue({ notBefore, notAfter }: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { clock, random, onCall } = this.#options;
    onCall();
    if (this.trouble === 'hangs') return untilAborted(signal);
    const isAway = this.trouble === 'refuses';
    const ms = this.trouble === 'slow' ? 1_000 + 3_000 * random() : 20 + 40 * random();
    return new Promise((resolve, reject) => {
      clock.after(isAway ? 5 : ms, () => {
        if (isAway) reject(issuerErrors.error('issuer_unavailable', 'expected a certificate, got 503'));
        else resolve(certificate(notBefore, notAfter));
      });
    });
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** As much of one as the audit record shows and the proxy looks at. */
function certificate(notBefore: Date, notAfter: Date): IssuedCertificate {
  const leaf = { serial: '', fingerprint: '', notBefore, notAfter } as unknown as Certificate;
  return { leaf, intermediates: [] };
}

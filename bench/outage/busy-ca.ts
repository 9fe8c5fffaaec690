import { issuerErrors } from '../../src/issuers/errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../../src/issuers/issuer.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import type { VirtualClock } from '../../test/simulate/virtual-clock.ts';

/** So many signatures at a time, each of so many milliseconds: 50 a second. Others wait in the order they came. */
const signers = 4;
const signatureMs = 80;

/** A CA that is as fast as it is, whoever asks; or away. */
export class BusyCa implements Issuer {
  readonly state: LatestValue<IssuerState>;
  readonly #clock: VirtualClock;
  readonly #freeAtMs: number[];
  isAway = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#freeAtMs = new Array<number>(signers).fill(clock.nowMs);
    const notAfter = new Date(clock.nowMs + 365 * 86_400_000);
    this.state = new LatestValue<IssuerState>({ state: 'ready', notBefore: clock.now(), notAfter });
  }

  issue({ notBefore, notAfter }: Pick<IssueRequest, 'notBefore' | 'notAfter'>): Promise<IssuedCertificate> {
    if (this.isAway)
      return Promise.reject(issuerErrors.error('issuer_unavailable', 'expected an answer, got 503'));
    const freeAtMs = Math.max(this.#clock.nowMs, Math.min(...this.#freeAtMs));
    const doneAtMs = freeAtMs + signatureMs;
    this.#freeAtMs[this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs))] = doneAtMs;
    return new Promise((resolve) => {
      this.#clock.after(doneAtMs - this.#clock.nowMs, () => {
        const leaf = { serial: '', fingerprint: '', notBefore, notAfter } as unknown as Certificate;
        resolve({ leaf, intermediates: [] });
      });
    });
  }
}

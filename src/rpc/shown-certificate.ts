import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Latest } from '../runtime/latest.ts';

export interface ShownCertificateOptions {
  readonly credentials: Latest<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
  readonly clock: Clock;
}

/**
 * The certificate that a channel's connections show: the newest, while it is worth showing. Servers refuse a whole
 * connection for one that has ended or is of no anchor, so that a process with such a certificate could never again ask
 * for a better one; without any they answer whom they answer.
 */
export class ShownCertificate {
  readonly #options: ShownCertificateOptions;
  #anonymous = false;

  constructor(options: ShownCertificateOptions) {
    this.#options = options;
  }

  /** For the connection that is being made. */
  next(): Credentials | undefined {
    const shown = this.#worthShowing(this.#options.credentials.value);
    this.#anonymous = shown === undefined;
    return shown;
  }

  /** Calls back when the connection made last shows nothing and the next one would. */
  onBetter(act: () => void): void {
    this.#options.credentials.subscribe((own) => {
      if (this.#anonymous && this.#worthShowing(own) !== undefined) act();
    });
  }

  #worthShowing(own: Credentials | undefined): Credentials | undefined {
    if (own === undefined) return undefined;
    const { bundle, clock } = this.#options;
    const { leaf, chain } = own;
    try {
      verifyChain({
        leaf,
        intermediates: chain.slice(1),
        bundle: bundle.value,
        at: clock.now(),
        usage: 'client',
      });
      return own;
    } catch {
      return undefined;
    }
  }
}

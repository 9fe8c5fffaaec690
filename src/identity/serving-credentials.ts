import type { Issuer, IssuerState } from '../issuers/issuer.ts';
import type { Credentials } from '../pki/credentials.ts';
import { Csr, createCsr } from '../pki/csr.ts';
import { generateKeyPair } from '../pki/keys.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import { renewalDelay } from '../rpc/renewal-schedule.ts';
import { Backoff } from '../runtime/backoff.ts';
import { sleepUntil, type Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { identityErrors } from './errors.ts';
import { validityOf, type LifetimeLimits } from './validity.ts';

export interface ServingCredentialsOptions {
  readonly identity: WorkloadIdentity;
  readonly issuer: Issuer;
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly limits: LifetimeLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
}

/** However short or long it lives, nothing holds its renewal back. */
const renewalBounds = { minRefreshMs: 0, maxRefreshMs: Infinity };
const retryPolicy = { minMs: 1_000, maxMs: 30_000 };

/**
 * The certificate that the identity service itself is served with: issued to itself by the issuer it serves, under
 * the name of its own ServiceAccount, with a new key each time. Renewed before its end, and when issuer or anchors
 * change; the last one stays in use when that fails.
 */
export class ServingCredentials {
  readonly #options: ServingCredentialsOptions;
  readonly #credentials = new LatestValue<Credentials | undefined>(undefined);
  readonly #problem = new LatestValue<string | undefined>(undefined);

  constructor(options: ServingCredentialsOptions) {
    this.#options = options;
  }

  get current(): Latest<Credentials | undefined> {
    return this.#credentials;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Keeps the certificate until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { anchors, issuer, clock, random } = this.#options;
    const backoff = new Backoff(retryPolicy, random);
    while (!signal.aborted) {
      const changed = new AbortController();
      const signer = signerOf(issuer.state.value);
      const stops = [
        anchors.subscribe(() => changed.abort()),
        issuer.state.subscribe((state) => {
          if (signerOf(state) !== signer && !(isAway(state) && signer !== 'none')) changed.abort();
        }),
      ];
      const renewAt = await this.#renew(signal);
      if (renewAt !== undefined) backoff.reset();
      const either = AbortSignal.any([signal, changed.signal]);
      const begin = this.#credentials.value?.leaf.notBefore;
      // A renewal waits for a date, because certificates begin and end by the wall clock.
      const wait =
        renewAt === undefined
          ? clock.sleep(backoff.next(), either)
          : sleepUntil(clock, renewAt, either, begin);
      await wait.catch(() => undefined);
      for (const stop of stops) stop();
    }
  }

  /** When the next renewal is due, or nothing where this one failed. */
  async #renew(signal: AbortSignal): Promise<Date | undefined> {
    const { clock, log, random = Math.random } = this.#options;
    try {
      const credentials = await this.#issue(signal);
      const { serial, notAfter } = credentials.leaf;
      log.info({ serial, until: notAfter }, 'own certificate renewed');
      this.#credentials.set(credentials);
      this.#problem.set(undefined);
      const nowMs = clock.now().getTime();
      return new Date(nowMs + renewalDelay(notAfter.getTime() - nowMs, renewalBounds, random));
    } catch (error) {
      if (!signal.aborted) this.#keep(errorMessage(error));
      return undefined;
    }
  }

  async #issue(signal: AbortSignal): Promise<Credentials> {
    const { identity, issuer, anchors, limits, clock } = this.#options;
    const { dnsName, spiffeId: uri } = identity;
    const { privateKey: key } = generateKeyPair();
    const csr = Csr.parse(createCsr({ key, dnsName, uri }));
    const validity = validityOf(issuer.state.value, limits, clock.now());
    const last = this.#credentials.value?.leaf.notAfter;
    const request = { identity, csr, dnsName, uri, ...validity, ...(last && { goodUntil: last }) };
    const { leaf, intermediates } = await issuer.issue(request, signal);
    const bundle = anchors.value;
    if (bundle === undefined)
      throw identityErrors.error('anchors_missing', 'expected trust anchors, got none yet');
    const above = intermediates.filter((certificate) => !bundle.has(certificate));
    return { identity, leaf, chain: [leaf, ...above], key, bundle };
  }

  /** Goes on with the last certificate, but never with trust anchors that are no longer published. */
  #keep(reason: string): void {
    const last = this.#credentials.value;
    const bundle = this.#options.anchors.value;
    if (last !== undefined && bundle !== undefined && !last.bundle.equals(bundle)) {
      this.#credentials.set({ ...last, bundle });
    }
    if (this.#problem.value === reason) return;
    this.#problem.set(reason);
    const { log, issuer } = this.#options;
    const goodUntil = last?.leaf.notAfter ?? 'there is none';
    // So it is at each start; what keeps the issuer from signing is told where it is read.
    if (last === undefined && issuer.state.value.state === 'unavailable')
      log.info({ reason }, 'own certificate waits for the issuer');
    else log.warn({ reason, goodUntil }, 'own certificate not renewed');
  }
}

/** Then another may sign for a while; the certificate of before is as good, and a CA that is back has others to see to. */
function isAway(state: IssuerState): boolean {
  return state.state === 'ready' && state.outage !== undefined;
}

/** Which CA signs now, or that none does: what else changes in the state is no reason for another certificate. */
function signerOf(state: IssuerState): string {
  return state.state === 'ready' ? (state.fingerprint ?? 'any') : 'none';
}

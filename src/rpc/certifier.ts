import type { KeyObject } from 'node:crypto';
import type { Credentials } from '../pki/credentials.ts';
import { generateKeyPair } from '../pki/keys.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { BackoffPolicy } from '../runtime/backoff.ts';
import { sleepUntil } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinDeadline } from '../runtime/deadline.ts';
import { errorCode, errorMessage, isAppError } from '../runtime/errors.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { acceptAnswer, createRequest, readToken } from './certificate-request.ts';
import { certifierMetrics } from './certifier-metrics.ts';
import type { CertifierMetrics } from './certifier-metrics.ts';
import { rpcErrors } from './errors.ts';
import type { IdentityClient } from './identity-api.ts';
import { renewalDelay, retryDelay } from './renewal-schedule.ts';
import type { RenewalBounds } from './renewal-schedule.ts';

export interface CertifierOptions extends RenewalBounds {
  readonly identity: WorkloadIdentity;
  /** Read anew for each request. */
  readonly tokenFile: string;
  readonly client: IdentityClient;
  /** Where the certificates go; only the certifier writes here. The channel of `client` should read it. */
  readonly credentials: LatestValue<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** False towards an identity service that refuses CSRs with a URI, as Linkerd's does (contract 1.3). True unless given. */
  readonly withUri?: boolean;
  /** One request, from reading the token to the answer. */
  readonly attemptTimeoutMs: number;
  /** Waits after failures. */
  readonly backoff?: BackoffPolicy;
  /** How these are waited for; by the clock alone unless given. */
  readonly sleep?: Clock['sleep'];
  readonly random?: () => number;
}

type Pause = (signal: AbortSignal) => Promise<void>;

const backoffDefault: BackoffPolicy = { minMs: 250, maxMs: 10_000, jitter: 0.5 };

/** Obtains this process's certificate and replaces it in time, with a new key for each. Keys are never written anywhere. */
export class Certifier {
  readonly #options: CertifierOptions;
  readonly #metrics: CertifierMetrics;
  readonly #backoff: Backoff;
  readonly #problem = new LatestValue<string | undefined>(undefined);
  #validUntil: Date | undefined;
  /** For requests until one is answered: a CA that takes long has begun with the first of them, and knows it by its key. */
  #key: KeyObject | undefined;
  #wake = new AbortController();

  constructor(options: CertifierOptions) {
    this.#options = options;
    this.#metrics = certifierMetrics(options.metrics);
    this.#backoff = new Backoff(options.backoff ?? backoffDefault, options.random);
  }

  get credentials(): Latest<Credentials | undefined> {
    return this.#options.credentials;
  }

  /** Why the last request failed, and until when the present certificate is good. `undefined` while all is well. */
  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Until the signal is aborted. Never rejects: a failure leaves the present certificate in use and is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#options.bundle.subscribe((bundle) => this.#useBundle(bundle));
    try {
      while (!signal.aborted) {
        this.#wake = new AbortController();
        const pause = await this.#attempt(signal);
        await pause(AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
      }
    } finally {
      unsubscribe();
    }
  }

  /** One request; gives the way to wait for the next. */
  async #attempt(signal: AbortSignal): Promise<Pause> {
    const { clock, sleep = (ms: number, until?: AbortSignal) => clock.sleep(ms, until) } = this.#options;
    try {
      await this.#certify(signal);
      this.#backoff.reset();
      this.#metrics.refreshes.inc({ result: 'ok' });
      this.#problem.set(undefined);
      // A date, because certificates begin and end by the wall clock.
      const renewal = this.#renewal();
      const begin = this.#options.credentials.value?.leaf.notBefore;
      return (either) => sleepUntil(clock, renewal, either, begin);
    } catch (error) {
      if (signal.aborted) return () => Promise.resolve();
      this.#metrics.refreshes.inc({ result: 'error' });
      const delayMs = this.#retryDelay(error);
      return (either) => sleep(delayMs, either);
    }
  }

  async #certify(signal: AbortSignal): Promise<void> {
    const { identity, tokenFile, client, clock, withUri = true, attemptTimeoutMs } = this.#options;
    const late = (): Error => {
      const expected = `expected a certificate within ${attemptTimeoutMs} ms`;
      return rpcErrors.error('rpc_deadline_exceeded', `${expected}, got no answer of the identity service`);
    };
    await withinDeadline({ clock, ms: attemptTimeoutMs, signal, late }, async (either) => {
      const token = await readToken(tokenFile, either);
      const key = (this.#key ??= generateKeyPair().privateKey);
      const request = createRequest(identity, { token, key, withUri });
      const answer = await client.certify(request, { signal: either });
      this.#key = undefined;
      either.throwIfAborted();
      const bundle = this.#options.bundle.value;
      const { credentials, validUntil } = acceptAnswer(answer, { identity, key, bundle, now: clock.now() });
      this.#install(credentials, validUntil);
    });
  }

  #install(credentials: Credentials, validUntil: Date): void {
    const { clock, log } = this.#options;
    this.#validUntil = validUntil;
    // Whatever happened to the anchors while the request was under way, this certificate chains to the present ones.
    this.#wake = new AbortController();
    this.#options.credentials.set(credentials);
    this.#metrics.expiration.set(validUntil.getTime() / 1000);
    this.#metrics.refreshed.set(clock.now().getTime() / 1000);
    const { identity, leaf } = credentials;
    log.info(
      { identity: identity.dnsName, serial: leaf.serial, issuer: leaf.issuer, validUntil },
      'certificate obtained',
    );
  }

  #renewal(): Date {
    const { clock, random = Math.random } = this.#options;
    return new Date(clock.now().getTime() + renewalDelay(this.#leftMs, this.#options, random));
  }

  #retryDelay(error: unknown): number {
    const advisedMs = isAppError(error) ? error.retryAfterMs : undefined;
    const retryInMs = retryDelay({ backoffMs: this.#backoff.next(), advisedMs, leftMs: this.#leftMs });
    this.#tell(error, retryInMs);
    return retryInMs;
  }

  /** How long the present certificate is good. */
  get #leftMs(): number {
    return (this.#validUntil?.getTime() ?? 0) - this.#options.clock.now().getTime();
  }

  #tell(error: unknown, retryInMs: number): void {
    const { clock, log } = this.#options;
    const validUntil = this.#validUntil;
    const message = errorMessage(error);
    const fields = { code: errorCode(error), error: message, retryInMs, validUntil };
    if (validUntil === undefined) {
      log.warn(fields, 'no certificate yet');
      this.#problem.set(`none yet: ${message}`);
    } else if (validUntil > clock.now()) {
      log.warn(fields, 'certificate not renewed; the present one stays in use');
      this.#problem.set(`not renewed, good until ${validUntil.toISOString()}: ${message}`);
    } else {
      log.error(fields, 'certificate expired and not renewed; peers refuse it');
      this.#problem.set(`expired at ${validUntil.toISOString()}, peers refuse it: ${message}`);
    }
  }

  /** Peers are judged by the new anchors at once; a leaf that these do not carry is replaced without delay. */
  #useBundle(bundle: TrustBundle): void {
    const present = this.#options.credentials.value;
    if (present === undefined) {
      // The answer that was refused under the old anchors may be a good one now.
      this.#wake.abort();
      return;
    }
    this.#options.credentials.set({ ...present, bundle });
    const { leaf, chain } = present;
    try {
      verifyChain({
        leaf,
        intermediates: chain.slice(1),
        bundle,
        at: this.#options.clock.now(),
        usage: 'both',
      });
    } catch (error) {
      this.#options.log.warn(
        { error: errorMessage(error) },
        'own certificate does not chain to the new trust anchors; asking for another',
      );
      this.#wake.abort();
    }
  }
}

import type { Credentials } from '../pki/credentials.ts';
import { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { BackoffPolicy } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { rpcErrors } from './errors.ts';
import type { PublishedBundle, TrustClient, TrustReport } from './trust-api.ts';

export interface TrustFollowerOptions {
  readonly client: TrustClient;
  /** Holds the configured anchors at first; only the follower writes here. */
  readonly bundle: LatestValue<TrustBundle>;
  /** The stream is opened once there is a certificate: it says who reports. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff?: BackoffPolicy;
  /** How the waits between streams are waited for; by the clock alone unless given. */
  readonly sleep?: Clock['sleep'];
  readonly random?: () => number;
}

const backoffDefault: BackoffPolicy = { minMs: 250, maxMs: 10_000, jitter: 0.5 };

/** An identity service without this stream, as Linkerd's is, may be replaced by one that has it. */
const UNIMPLEMENTED_RETRY_MS = 10 * 60_000;

/**
 * Takes trust bundles from the identity service and reports which is in use and which anchor the own leaf chains to.
 * A bundle that is empty, unreadable or not what its hash says is refused, and that is reported too.
 */
export class TrustFollower {
  readonly #options: TrustFollowerOptions;
  readonly #backoff: Backoff;

  constructor(options: TrustFollowerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? backoffDefault, options.random);
  }

  get bundle(): Latest<TrustBundle> {
    return this.#options.bundle;
  }

  /** Until the signal is aborted. Never rejects: while there is no stream, the present bundle stays in use. */
  async run(signal: AbortSignal): Promise<void> {
    const {
      credentials,
      clock,
      sleep = (ms: number, until?: AbortSignal) => clock.sleep(ms, until),
    } = this.#options;
    try {
      for (;;) {
        await credentials.until((own) => own !== undefined, signal);
        await sleep(await this.#follow(signal), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** One stream, to its end; gives the wait before the next. */
  async #follow(signal: AbortSignal): Promise<number> {
    const { client, bundle, credentials, log } = this.#options;
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const refusal = new LatestValue('');
    const report = new LatestValue(this.#report(refusal.value), sameReport);
    const update = (): void => report.set(this.#report(refusal.value));
    const unsubscribe = [bundle, credentials, refusal].map((each: Latest<unknown>) => each.subscribe(update));
    try {
      for await (const published of client.watch(report.changes(either), signal)) {
        this.#backoff.reset();
        refusal.set(this.#take(published));
      }
      return this.#backoff.next();
    } catch (error) {
      if (signal.aborted) return 0;
      if (errorCode(error) === 'rpc_unimplemented') {
        log.info({}, 'the identity service has no trust bundle stream; the configured anchors stay in use');
        return UNIMPLEMENTED_RETRY_MS;
      }
      const delayMs = this.#backoff.next();
      log.warn(
        { code: errorCode(error), error: errorMessage(error), retryInMs: delayMs },
        'trust bundle stream broke',
      );
      return delayMs;
    } finally {
      ended.abort();
      for (const stop of unsubscribe) stop();
    }
  }

  /** Why the bundle is refused, or nothing. */
  #take(published: PublishedBundle): string {
    const { bundle, log } = this.#options;
    try {
      const next = TrustBundle.parsePem(published.pem);
      if (next.sha256 !== published.sha256) {
        throw rpcErrors.error(
          'message_malformed',
          `expected a bundle with sha256 ${published.sha256}, got ${next.sha256}`,
        );
      }
      if (next.equals(bundle.value)) return '';
      log.info(
        { sha256: next.sha256, anchors: next.anchors.map(({ subject }) => subject) },
        'trust bundle replaced',
      );
      bundle.set(next);
      return '';
    } catch (error) {
      log.error(
        { error: errorMessage(error), inUse: bundle.value.sha256 },
        'trust bundle refused; the present one stays in use',
      );
      return errorMessage(error);
    }
  }

  #report(refusal: string): TrustReport {
    const { bundle, credentials } = this.#options;
    return {
      sha256InUse: bundle.value.sha256,
      leafAnchorSha256: this.#leafAnchor(credentials.value, bundle.value),
      refusal,
    };
  }

  #leafAnchor(own: Credentials | undefined, bundle: TrustBundle): string {
    if (own === undefined) return '';
    const { leaf, chain } = own;
    try {
      const at = this.#options.clock.now();
      const path = verifyChain({ leaf, intermediates: chain.slice(1), bundle, at, usage: 'both' });
      return path.at(-1)?.fingerprint ?? '';
    } catch {
      // Also true and worth knowing: by these anchors the leaf is worth nothing.
      return '';
    }
  }
}

function sameReport(a: TrustReport, b: TrustReport): boolean {
  return (
    a.sha256InUse === b.sha256InUse && a.leafAnchorSha256 === b.leafAnchorSha256 && a.refusal === b.refusal
  );
}

import { bundleKey } from '../../issuers/own-ca/ca-objects.ts';
import { find } from '../../issuers/own-ca/settle-object.ts';
import type { Collection } from '../../kube/collection.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { configMaps } from '../../kube/resources.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { Backoff } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { BundlePlace } from '../anchors-place.ts';
import { identityErrors } from '../errors.ts';
import { RateLimit } from '../rate-limit.ts';
import { bundleTextOf } from './bundle-config-map.ts';
import type { PublisherMetrics } from './publisher-metrics.ts';

/** What is kept of a namespace. */
export interface NamespaceState {
  /** Nothing can be made in it any more. */
  readonly ending: boolean;
}

export interface BundlePublisherOptions {
  readonly client: KubeClient;
  /** Of every namespace, by name. */
  readonly namespaces: Collection<NamespaceState>;
  /** The bundles in all ConfigMaps of this name, by `namespace/name`. */
  readonly copies: Collection<string>;
  readonly anchors: Latest<TrustBundle | undefined>;
  /** What the copies are called. */
  readonly name: string;
  /** Where the bundle is that is copied. */
  readonly source: BundlePlace;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PublisherMetrics;
}

/** Writes a second at most, so that thousands of namespaces do not flood the API server when a bundle changes. */
const rate = { perSecond: 50, burst: 100 };
const retryPolicy = { minMs: 1_000, maxMs: 60_000 };

/**
 * Keeps a copy of the trust bundle in every namespace: written where it is missing, changed, or of an older bundle.
 * Several replicas may do this at once, for they all write the same.
 */
export class BundlePublisher {
  readonly #options: BundlePublisherOptions;
  readonly #limit: RateLimit;
  readonly #backoff = new Backoff(retryPolicy);
  readonly #problem = new LatestValue<string | undefined>(undefined);
  /** Namespaces to look at, the longest waiting first; and how often it was asked to. */
  readonly #waiting = new Set<string>();
  readonly #asked = new LatestValue(0);
  /** Namespaces that could not be written, until they are to be looked at again. */
  readonly #failed = new Set<string>();
  #retry: Timer | undefined;

  constructor(options: BundlePublisherOptions) {
    this.#options = options;
    this.#limit = new RateLimit(rate, options.clock, 1);
  }

  /** Why copies that are wrong could not be written. */
  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Keeps the copies until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespaces, copies, anchors } = this.#options;
    const isTrue = (value: boolean): boolean => value;
    await Promise.all([namespaces.synced.until(isTrue, signal), copies.synced.until(isTrue, signal)]);
    const stops = [
      namespaces.subscribe((changes) => this.#ask(changes.map(({ key }) => key))),
      copies.subscribe((changes) => this.#ask(changes.map(({ key }) => key.split('/')[0] ?? ''))),
      anchors.subscribe(() => this.#askAll()),
    ];
    this.#askAll();
    try {
      for (;;) {
        const seen = this.#asked.value;
        await this.#round(signal);
        await this.#asked.until((count) => count !== seen, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#retry?.cancel();
      for (const stop of stops) stop();
    }
  }

  #askAll(): void {
    this.#ask([...this.#options.namespaces.entries()].map(([name]) => name));
  }

  #ask(names: readonly string[]): void {
    for (const name of names) this.#waiting.add(name);
    this.#asked.set(this.#asked.value + 1);
  }

  /** Looks at all that wait. */
  async #round(signal: AbortSignal): Promise<void> {
    const wrong = [...this.#waiting].filter((name) => this.#isWrong(name));
    this.#waiting.clear();
    try {
      if (wrong.length > 0) await this.#confirm(signal);
      for (const name of wrong) await this.#mend(name, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#later(wrong, error);
    }
    if (this.#failed.size > 0) return;
    this.#backoff.reset();
    this.#problem.set(undefined);
  }

  #isWrong(name: string): boolean {
    const { namespaces, copies, anchors, source, name: copy } = this.#options;
    const namespace = namespaces.get(name);
    const wanted = anchors.value?.pem;
    const isSource = name === source.namespace && copy === source.name;
    const exempt = namespace === undefined || namespace.ending || isSource;
    return !exempt && wanted !== undefined && copies.get(`${name}/${copy}`) !== wanted;
  }

  /** A replica that has not heard of a new bundle yet must not bring back the old one. */
  async #confirm(signal: AbortSignal): Promise<void> {
    const { client, source, anchors } = this.#options;
    const { namespace, name, key } = source;
    const present = await find(client, { resource: configMaps, place: { namespace, name } }, signal);
    const bundle = present && readBundle(bundleTextOf(present, key));
    // One that is gone or no longer good is newer to nobody.
    if (bundle === undefined || anchors.value?.equals(bundle) === true) return;
    throw identityErrors.error(
      'bundle_not_current',
      'expected the bundle that is published, got an older one',
    );
  }

  async #mend(name: string, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#options;
    for (let waitMs = this.#limit.take(''); waitMs > 0; waitMs = this.#limit.take('')) {
      await clock.sleep(waitMs, signal);
    }
    // Things change while others are written.
    if (!this.#isWrong(name)) return;
    try {
      await this.#write(name, signal);
      metrics.writes.inc({ result: 'ok' });
    } catch (error) {
      signal.throwIfAborted();
      if (isEnding(error)) return;
      metrics.writes.inc({ result: 'failed' });
      this.#later([name], error);
    }
  }

  async #write(namespace: string, signal: AbortSignal): Promise<void> {
    const { client, anchors, name } = this.#options;
    const data = { [bundleKey]: anchors.value?.pem ?? '' };
    const labels = { 'app.kubernetes.io/managed-by': 'kedge-identity' };
    const copy = { metadata: { namespace, name, labels }, data };
    await client.apply(configMaps, { namespace, name }, copy, { force: true }, signal);
  }

  #later(names: readonly string[], error: unknown): void {
    for (const name of names) this.#failed.add(name);
    const reason = errorMessage(error);
    if (reason !== this.#problem.value) {
      this.#options.log.warn(
        { namespace: names[0], more: names.length - 1, reason },
        'trust bundle not published',
      );
      this.#problem.set(reason);
    }
    this.#retry ??= this.#options.clock.after(this.#backoff.next(), () => {
      this.#retry = undefined;
      const again = [...this.#failed];
      this.#failed.clear();
      this.#ask(again);
    });
  }
}

function readBundle(text: string): TrustBundle | undefined {
  try {
    return TrustBundle.parsePem(text);
  } catch {
    return undefined;
  }
}

/** The namespace is gone or going, and was not known to be. */
function isEnding(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'kube_not_found') return true;
  return code === 'kube_forbidden' && errorMessage(error).includes('being terminated');
}

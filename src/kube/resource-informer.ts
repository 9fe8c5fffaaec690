import { Backoff } from '../runtime/backoff.ts';
import { errorMessage, isAppError } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Change } from './collection.ts';
import { objectKey } from './collection.ts';
import { kubeErrors } from './errors.ts';
import type { Informer, InformerOptions } from './informer.ts';
import { kubeMetrics } from './kube-metrics.ts';
import type { KubeMetrics } from './kube-metrics.ts';
import type { KubeObject } from './kube-object.ts';
import type { WatchEvent } from './kube-watch.ts';
import { ObjectStore } from './object-store.ts';

/** Objects per page of a list: some megabytes, which are garbage before the next page comes. */
const pageSize = 500;
const backoffPolicy = { minMs: 250, maxMs: 30_000, jitter: 1 };
/** The API server is asked to end a watch after this and up to twice as long, so that not all begin anew at once. */
const watchMs = 300_000;
/** With bookmarks, which come each minute, a watch is never as quiet as this unless nobody is there. */
const silenceMs = 75_000;
/** After so long without contact the history may be another one, although it goes on from a later version. */
const outageMs = 120_000;
/** A watch that ends sooner, and brought nothing, has failed. */
const soonMs = 1_000;

type ListReason = 'first' | 'expired' | 'behind' | 'outage' | 'malformed';

/** How a watch ended that was not cut off by an error. */
type WatchEnd = 'timeout' | 'silent';

/** After these, what was told since the last list cannot be relied on. */
const listAnew: Readonly<Record<string, ListReason>> = {
  kube_expired: 'expired',
  kube_answer_invalid: 'malformed',
  kube_answer_too_large: 'malformed',
};

/** Lists, then watches from there; whatever breaks is begun again where it broke. */
export class ResourceInformer<T, O extends KubeObject> implements Informer<T> {
  readonly problem = new LatestValue<string | undefined>(undefined);
  readonly #options: InformerOptions<T, O>;
  readonly #metrics: KubeMetrics;
  readonly #title: string;
  readonly #store = new ObjectStore<T>();
  readonly #backoff: Backoff;
  /** Everything up to here is in the store; undefined: it has to be listed, for the reason below. */
  #version: string | undefined;
  #reason: ListReason = 'first';
  /** The watch before did not end as it should, so the API server may have become another. */
  #cutOff = false;
  #confirmedAtMs = 0;
  #failures = 0;

  constructor(options: InformerOptions<T, O>) {
    this.#options = options;
    this.#metrics = kubeMetrics(options.metrics);
    this.#title = options.title ?? options.resource.plural;
    this.#backoff = new Backoff(backoffPolicy, options.random);
    this.#metrics.synced.set({ resource: this.#title }, 0);
  }

  get synced(): Latest<boolean> {
    return this.#store.synced;
  }

  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  entries(): Iterable<readonly [key: string, value: T]> {
    return this.#store.entries();
  }

  subscribe(listener: (changes: readonly Change<T>[]) => void): () => void {
    return this.#store.subscribe(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const ended = (): boolean => signal.aborted;
    while (!ended()) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (ended()) return;
        await this.#wait(this.#failed(error), signal);
      }
    }
  }

  /** One watch, with what it takes to begin it. */
  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#version !== undefined && this.#cutOff) await this.#checkHistory(this.#version, signal);
    if (this.#version === undefined) await this.#list(signal);
    this.#cutOff = true;
    const end = await this.#watch(this.#version ?? '', signal);
    this.#cutOff = end === 'silent';
    this.#metrics.watches.inc({ resource: this.#title, end });
  }

  /** An API server restored from a backup is behind; a watch from a version it has not reached yet stays silent. */
  async #checkHistory(version: string, signal: AbortSignal): Promise<void> {
    if (this.#now() - this.#confirmedAtMs > outageMs) {
      this.#forget('outage');
      return;
    }
    const page = await this.#page({ limit: 1 }, signal);
    if (isBefore(page.resourceVersion, version)) this.#forget('behind');
  }

  #forget(reason: ListReason): void {
    this.#version = undefined;
    this.#reason = reason;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const all = new Map<string, T>();
    let next: string | undefined;
    let version: string;
    do {
      const page = await this.#page({ limit: pageSize, ...(next !== undefined && { next }) }, signal);
      for (const object of page.items) {
        const value = this.#project(object);
        if (value !== undefined) all.set(objectKey(object.metadata), value);
      }
      version = page.resourceVersion;
      next = page.next;
    } while (next !== undefined);
    signal.throwIfAborted();
    this.#metrics.lists.inc({ resource: this.#title, reason: this.#reason });
    this.#version = version;
    this.#confirm();
    this.#store.replace(all);
    this.#metrics.objects.set({ resource: this.#title }, all.size);
    this.#metrics.synced.set({ resource: this.#title }, 1);
    log.debug({ resource: this.#title, objects: all.size, reason: this.#reason }, 'listed');
  }

  #page(asked: { limit: number; next?: string }, signal: AbortSignal) {
    const { client, resource, place = {}, labelSelector, fieldSelector } = this.#options;
    const selectors = {
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    };
    return client.list<O>(resource, place, { ...selectors, ...asked }, signal);
  }

  async #watch(version: string, signal: AbortSignal): Promise<WatchEnd> {
    const {
      client,
      resource,
      place = {},
      labelSelector,
      fieldSelector,
      clock,
      random = Math.random,
    } = this.#options;
    const end = new AbortController();
    const stop = (): void => end.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const silent = Symbol('silent');
    let silence = clock.after(silenceMs, () => end.abort(silent));
    const beganAtMs = this.#now();
    try {
      const options = {
        ...(labelSelector !== undefined && { labelSelector }),
        ...(fieldSelector !== undefined && { fieldSelector }),
        resourceVersion: version,
        timeoutMs: watchMs * (1 + random()),
      };
      for await (const batch of await client.watch<O>(resource, place, options, end.signal)) {
        silence.cancel();
        silence = clock.after(silenceMs, () => end.abort(silent));
        this.#take(batch);
      }
    } catch (error) {
      if (end.signal.reason !== silent) throw error;
      return 'silent';
    } finally {
      silence.cancel();
      signal.removeEventListener('abort', stop);
    }
    if (this.#version === version && this.#now() - beganAtMs < soonMs) {
      throw kubeErrors.error(
        'kube_unreachable',
        `watch ${this.#title}: expected it to last, it ended at once`,
      );
    }
    return 'timeout';
  }

  #take(batch: readonly WatchEvent<O>[]): void {
    const last = batch.at(-1)?.object.metadata.resourceVersion;
    if (last === undefined) return;
    this.#version = last;
    this.#confirm();
    this.#store.apply(
      batch
        .filter(({ type }) => type !== 'BOOKMARK')
        .map(({ type, object }) => [
          objectKey(object.metadata),
          type === 'DELETED' ? undefined : this.#project(object),
        ]),
    );
    this.#metrics.objects.set({ resource: this.#title }, this.#store.size);
  }

  #project(object: O): T | undefined {
    const { project, log } = this.#options;
    try {
      return project(object);
    } catch (error) {
      log.error(
        { resource: this.#title, object: objectKey(object.metadata), error },
        'an object cannot be used',
      );
      return undefined;
    }
  }

  /** The API server has said how things are. */
  #confirm(): void {
    const { log } = this.#options;
    this.#confirmedAtMs = this.#now();
    this.#metrics.confirmed.set({ resource: this.#title }, this.#confirmedAtMs / 1000);
    this.#backoff.reset();
    this.#failures = 0;
    if (this.problem.value === undefined) return;
    this.problem.set(undefined);
    log.info({ resource: this.#title }, 'followed again');
  }

  /** Gives how long to wait. */
  #failed(error: unknown): number {
    const code = isAppError(error) ? error.code : 'unexpected';
    this.#metrics.watches.inc({ resource: this.#title, end: code });
    const reason = listAnew[code];
    if (reason !== undefined) this.#forget(reason);
    this.#failures += 1;
    // One break alone is daily life, and over before anybody could look.
    if (this.#failures > 1 || !isBreak(error)) this.#tell(errorMessage(error), error);
    return Math.max(this.#backoff.next(), (isAppError(error) && error.retryAfterMs) || 0);
  }

  #tell(problem: string, error: unknown): void {
    if (this.problem.value === problem) return;
    this.problem.set(problem);
    this.#options.log.warn({ resource: this.#title, error }, 'cannot be followed now');
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => undefined);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}

function isBreak(error: unknown): boolean {
  return isAppError(error) && (error.kind === 'unavailable' || error.code === 'kube_expired');
}

/** Versions are whole numbers in decimal; of anything else nothing is known. */
function isBefore(a: string, b: string): boolean {
  const numbers = /^\d{1,20}$/.test(a) && /^\d{1,20}$/.test(b);
  return numbers && BigInt(a) < BigInt(b);
}

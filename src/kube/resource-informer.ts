import { Backoff } from '../runtime/backoff.ts';
import { errorMessage, isAppError } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Change } from './collection.ts';
import { objectKey } from './collection.ts';
import { kubeErrors } from './errors.ts';
import type { Informer, InformerOptions } from './informer-options.ts';
import { kubeMetrics } from './kube-metrics.ts';
import type { KubeMetrics } from './kube-metrics.ts';
import type { KubeObject } from './kube-object.ts';
import type { WatchEvent } from './kube-watch.ts';
import { ListWatch, soonMs } from './list-watch.ts';
import { ObjectStore } from './object-store.ts';

/** Objects per page of a list: a megabyte or so, for what is read at once costs memory for good. Halved when a page was too large. */
const firstPageSize = 100;
const backoffPolicy = { minMs: 250, maxMs: 30_000, jitter: 1 };
/** After so long without contact the history may be another one, although it goes on from a later version. */
const outageMs = 120_000;
/** So many breaks in a row are daily life, and over before anybody could look. */
const quietBreaks = 2;

type ListReason = 'first' | 'expired' | 'behind' | 'outage' | 'malformed' | 'version';

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
  readonly #listWatch: ListWatch<O>;
  readonly #metrics: KubeMetrics;
  /** What logs and metrics call it. */
  readonly #resource: string;
  readonly #store = new ObjectStore<T>();
  readonly #backoff: Backoff;
  /** Everything up to here is in the store; undefined: it has to be listed, for the reason below. */
  #version: string | undefined;
  #reason: ListReason = 'first';
  /** A version has, and no watch has stood or brought anything since. */
  #expired = false;
  /** The watch before did not end as it should, so the API server may have become another. */
  #cutOff = false;
  #confirmedAtMs = 0;
  #failures = 0;
  #pageSize = firstPageSize;

  constructor(options: InformerOptions<T, O>) {
    this.#options = options;
    this.#listWatch = new ListWatch(options);
    this.#metrics = kubeMetrics(options.metrics);
    this.#resource = options.title ?? options.resource.plural;
    this.#backoff = new Backoff(backoffPolicy, options.random);
    this.#metrics.synced.set({ resource: this.#resource }, 0);
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
        const waitMs = this.#failed(error);
        if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  /** One watch, with what it takes to begin it. */
  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#version !== undefined && this.#cutOff) await this.#checkHistory(this.#version, signal);
    const version = this.#version ?? (await this.#list(signal));
    const beganAtMs = this.#now();
    this.#cutOff = true;
    const doubted = this.#failures > 0 || this.#expired;
    const listener = { doubted, stands: this.#stands.bind(this), take: this.#take.bind(this) };
    const end = await this.#listWatch.watch(version, listener, signal);
    this.#cutOff = end === 'silent';
    this.#metrics.watches.inc({ resource: this.#resource, end });
    if (this.#version === version && this.#now() - beganAtMs < soonMs) {
      const message = `watch ${this.#resource}: expected it to last, it ended at once`;
      throw kubeErrors.error('kube_unreachable', message);
    }
    this.#succeeded();
  }

  #stands(): void {
    this.#expired = false;
    this.#confirm();
  }

  /** An API server restored from a backup is behind; a watch from a version it has not reached yet stays silent. */
  async #checkHistory(version: string, signal: AbortSignal): Promise<void> {
    if (this.#now() - this.#confirmedAtMs > outageMs) {
      this.#forget('outage');
      return;
    }
    if (await this.#listWatch.isBehind(version, signal)) this.#forget('behind');
  }

  #forget(reason: ListReason): void {
    if (this.#version !== undefined) this.#reason = reason;
    this.#version = undefined;
  }

  async #list(signal: AbortSignal): Promise<string> {
    const all = new Map<string, T>();
    const version = await this.#listWatch.all(
      this.#pageSize,
      (object) => {
        const value = this.#project(object);
        if (value !== undefined) all.set(objectKey(object.metadata), value);
      },
      signal,
    );
    signal.throwIfAborted();
    const resource = this.#resource;
    this.#metrics.lists.inc({ resource, reason: this.#reason });
    this.#version = version;
    this.#confirm();
    if (!this.#expired) this.#succeeded();
    this.#store.replace(all);
    this.#metrics.objects.set({ resource }, this.#store.size);
    this.#metrics.synced.set({ resource }, 1);
    this.#options.log.debug({ resource, objects: this.#store.size, reason: this.#reason }, 'listed');
    return version;
  }

  #take(batch: readonly WatchEvent<O>[]): void {
    const version = batch.at(-1)?.object.metadata.resourceVersion;
    if (version === undefined) return;
    this.#version = version;
    this.#confirm();
    this.#succeeded();
    this.#store.apply(
      batch
        .filter(({ type }) => type !== 'BOOKMARK')
        .map(({ type, object }) => [
          objectKey(object.metadata),
          type === 'DELETED' ? undefined : this.#project(object),
        ]),
    );
    this.#metrics.objects.set({ resource: this.#resource }, this.#store.size);
  }

  #project(object: O): T | undefined {
    const { project, log } = this.#options;
    try {
      return project(object);
    } catch (error) {
      const fields = { resource: this.#resource, object: objectKey(object.metadata), error };
      log.error(fields, 'an object cannot be used');
      return undefined;
    }
  }

  /** The API server is there, and what is known is what it knows. */
  #confirm(): void {
    const resource = this.#resource;
    this.#confirmedAtMs = this.#now();
    this.#metrics.confirmed.set({ resource }, this.#confirmedAtMs / 1000);
    if (this.problem.value === undefined) return;
    this.problem.set(undefined);
    this.#options.log.info({ resource }, 'followed again');
  }

  /** Not merely begun: what fails again and again right after its beginning is tried less and less often. */
  #succeeded(): void {
    this.#backoff.reset();
    this.#failures = 0;
    this.#expired = false;
  }

  /** Gives how long to wait. */
  #failed(error: unknown): number {
    const code = isAppError(error) ? error.code : 'unexpected';
    this.#metrics.watches.inc({ resource: this.#resource, end: code });
    const reason = listAnew[code];
    if (reason !== undefined) this.#forget(reason);
    if (code === 'kube_answer_too_large') this.#pageSize = Math.ceil(this.#pageSize / 2);
    if (this.#isNext(code)) return 0;
    this.#failures += 1;
    if (code === 'kube_not_found' && this.#options.optional === true) this.#absent();
    else if (this.#failures > quietBreaks || !isBreak(error)) this.#tell(this.#problemOf(code, error), error);
    return Math.max(this.#backoff.next(), (isAppError(error) && error.retryAfterMs) || 0);
  }

  /** Whether there is something else to ask for, at once. */
  #isNext(code: string): boolean {
    if (code === 'kube_not_found') {
      this.#forget('version');
      return this.#listWatch.turnToOlder();
    }
    if (code !== 'kube_expired' || this.#expired) return false;
    // Who says so is there, so the outage that it was waited for is over, and what is known is as old as that.
    this.#succeeded();
    this.#expired = true;
    return true;
  }

  /** The API server does not know the kind. Should it have known it before, the end of the objects was told of each. */
  #absent(): void {
    this.#confirm();
    this.#metrics.synced.set({ resource: this.#resource }, 1);
    this.#store.synced.set(true);
  }

  #problemOf(code: string, error: unknown): string {
    if (code !== 'kube_not_found') return errorMessage(error);
    const { plural, group } = this.#options.resource;
    return `expected the API server to know ${plural}.${group}, it does not: install this definition, which the chart has (crds.install)`;
  }

  #tell(problem: string, error: unknown): void {
    if (this.problem.value === problem) return;
    this.problem.set(problem);
    this.#options.log.warn({ resource: this.#resource, error }, 'cannot be followed now');
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}

function isBreak(error: unknown): boolean {
  return isAppError(error) && (error.kind === 'unavailable' || error.code === 'kube_expired');
}

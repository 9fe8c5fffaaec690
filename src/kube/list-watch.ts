import type { Clock, Timer } from '../runtime/clock.ts';
import type { ListPage } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import type { KubeConnection, WatchEvent } from './kube-watch.ts';
import type { Place, Resource } from './resource.ts';

export interface ListWatchOptions {
  readonly client: KubeConnection;
  readonly resource: Resource;
  /** All namespaces unless given. */
  readonly place?: Pick<Place, 'namespace'>;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  readonly random?: () => number;
}

/** What is told of a watch. */
export interface WatchListener<O> {
  /** Its first line may say that the version has expired: to be taken by the API server is not enough. */
  readonly doubted: boolean;
  /** The API server has taken it, and where it is doubted has not ended it soon. */
  stands(): void;
  take(batch: readonly WatchEvent<O>[]): void;
}

/** A watch that ends sooner, and brought nothing, has failed. */
export const soonMs = 1_000;

/** How a watch ended that was not cut off by an error. */
export type WatchEnd = 'timeout' | 'silent';

/** The API server is asked to end a watch after this and up to twice as long, so that not all begin anew at once. */
const watchMs = 300_000;
/** With bookmarks, which come each minute, a watch is hardly as quiet as this unless nobody is there. */
const silenceMs = 75_000;

/** The two requests that objects of one kind are followed with. */
export class ListWatch<O extends KubeObject> {
  readonly #options: ListWatchOptions;
  /** In the version that is asked for. */
  #resource: Resource;
  /** Versions that have not been tried since the newest was. */
  #older: readonly string[];
  readonly #selectors: { readonly labelSelector?: string; readonly fieldSelector?: string };

  constructor(options: ListWatchOptions) {
    const { labelSelector, fieldSelector, resource } = options;
    this.#options = options;
    this.#resource = resource;
    this.#older = resource.olderVersions ?? [];
    this.#selectors = {
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    };
  }

  /** Asks for the next older version from now on; for the newest once all of them have been tried, which gives false. */
  turnToOlder(): boolean {
    const { resource } = this.#options;
    const [version, ...older] = this.#older;
    this.#older = version === undefined ? (resource.olderVersions ?? []) : older;
    this.#resource = version === undefined ? resource : { ...resource, version };
    return version !== undefined;
  }

  page(limit: number, next: string | undefined, signal: AbortSignal): Promise<ListPage<O>> {
    const { client, place = {} } = this.#options;
    const options = { ...this.#selectors, limit, ...(next !== undefined && { next }) };
    return client.list<O>(this.#resource, place, options, signal);
  }

  /** Whether the API server has not come to this version yet. */
  async isBehind(version: string, signal: AbortSignal): Promise<boolean> {
    const { resourceVersion } = await this.page(1, undefined, signal);
    return isBefore(resourceVersion, version);
  }

  /** Every object, page by page, so that each page is garbage before the next one comes; gives the list's version. */
  async all(limit: number, take: (object: O) => void, signal: AbortSignal): Promise<string> {
    let page = await this.page(limit, undefined, signal);
    for (;;) {
      page.items.forEach(take);
      if (page.next === undefined) return page.resourceVersion;
      page = await this.page(limit, page.next, signal);
    }
  }

  /** What happens after `resourceVersion`, until the API server ends it, nothing comes any more, or an error cuts it off. */
  async watch(resourceVersion: string, listener: WatchListener<O>, signal: AbortSignal): Promise<WatchEnd> {
    const { client, place = {}, clock, random = Math.random } = this.#options;
    const end = new AbortController();
    const silent = Symbol('silent');
    const stop = (): void => end.abort(signal.reason);
    const hush = (): void => end.abort(silent);
    signal.addEventListener('abort', stop, { once: true });
    let silence = clock.after(silenceMs, hush);
    let standing: Timer | undefined;
    try {
      const options = { ...this.#selectors, resourceVersion, timeoutMs: watchMs * (1 + random()) };
      const batches = await client.watch<O>(this.#resource, place, options, end.signal);
      if (listener.doubted) standing = clock.after(soonMs, () => listener.stands());
      else listener.stands();
      for await (const batch of batches) {
        silence.cancel();
        silence = clock.after(silenceMs, hush);
        listener.take(batch);
      }
      return 'timeout';
    } catch (error) {
      if (end.signal.reason !== silent) throw error;
      return 'silent';
    } finally {
      silence.cancel();
      standing?.cancel();
      signal.removeEventListener('abort', stop);
    }
  }
}

/** Versions are whole numbers in decimal; of anything else nothing is known. */
function isBefore(a: string, b: string): boolean {
  const numbers = /^\d{1,20}$/.test(a) && /^\d{1,20}$/.test(b);
  return numbers && BigInt(a) < BigInt(b);
}

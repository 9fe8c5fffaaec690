import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import type { PathReader } from './path-reader.ts';
import type { Place, Resource } from './resource.ts';

export interface WatchOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this one are told. */
  readonly resourceVersion: string;
  /** Milliseconds after which the API server is to end it. */
  readonly timeoutMs: number;
}

/** A bookmark has no more than the version up to which everything has been told. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** A client that can follow changes as well. */
export interface KubeConnection extends KubeClient, PathReader {
  /**
   * Resolves when the API server has taken the watch; then gives events as they come, as many at once as came together
   * (none, when a part of one came). Ends when the API server ends it, throws `kube_expired` and the like, and
   * `signal.reason` when aborted.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    place: Place,
    options: WatchOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<readonly WatchEvent<T>[]>>;
}

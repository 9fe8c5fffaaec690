import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Collection } from './collection.ts';
import type { KubeObject } from './kube-object.ts';
import type { ListWatchOptions } from './list-watch.ts';

export interface InformerOptions<T, O extends KubeObject = KubeObject> extends ListWatchOptions {
  /**
   * What is kept of an object, as plain data; undefined: nothing, as if it were not there. Must not throw, and must not
   * give the object itself, which is far larger than what is used of it.
   */
  readonly project: (object: O) => T | undefined;
  /** Whether the kind may be missing, as before its CRD is there: that is no problem then, and no objects. */
  readonly optional?: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What logs and metrics call it; the plural of the resource unless given. */
  readonly title?: string;
}

/** A collection that follows the API server. */
export interface Informer<T> extends Collection<T> {
  /** Why what is known cannot be kept up to date now; it stays in use meanwhile. */
  readonly problem: Latest<string | undefined>;
  /** Follows until the signal is aborted, whatever happens in between; resolves then. To be called once. */
  run(signal: AbortSignal): Promise<void>;
}

import type { Latest } from '../runtime/latest.ts';

/** What has become of one object: `before` is missing when it is new, `after` when it is gone. */
export interface Change<T> {
  readonly key: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** The objects of one kind as they are now, each as the projection that its reader asked for. */
export interface Collection<T> {
  /** Whether everything there is has been seen once. Never becomes false again: what is known stays in use. */
  readonly synced: Latest<boolean>;
  /** By `namespace/name`, or by the name alone where the kind has no namespace. */
  get(key: string): T | undefined;
  entries(): Iterable<readonly [key: string, value: T]>;
  /**
   * Called with what changed, after it has changed here; a new list comes as one batch of all its differences.
   * Returns how to stop.
   */
  subscribe(listener: (changes: readonly Change<T>[]) => void): () => void;
}

/** `namespace/name`, or the name alone. */
export function objectKey(object: { readonly namespace?: string; readonly name: string }): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}

import type { Change, Collection } from '../../src/kube/collection.ts';
import { ObjectStore } from '../../src/kube/object-store.ts';
import type { Latest } from '../../src/runtime/latest.ts';

/** A collection that a test fills by hand; not synced until it says so. */
export class MemoryCollection<T> implements Collection<T> {
  readonly #store = new ObjectStore<T>();

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

  set(key: string, value: T): this {
    this.#store.apply([[key, value]]);
    return this;
  }

  delete(key: string): this {
    this.#store.apply([[key, undefined]]);
    return this;
  }

  /** Several at once, told as one batch; undefined is for what is gone. */
  apply(values: Iterable<readonly [key: string, value: T | undefined]>): this {
    this.#store.apply(values);
    return this;
  }

  sync(): this {
    this.#store.synced.set(true);
    return this;
  }
}

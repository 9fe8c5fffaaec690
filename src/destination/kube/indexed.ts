import type { Collection } from '../../kube/collection.ts';
import type { Lookup, Topics } from './lookup.ts';

/** A collection whose readers are told when what they read changes. */
export class Indexed<T> {
  readonly #title: string;
  readonly #collection: Collection<T>;

  /** `touched` is called with the topics of each batch of changes, once the lookups have taken it up. */
  constructor(
    title: string,
    collection: Collection<T>,
    lookups: readonly Lookup<T>[],
    touched: (topics: readonly string[]) => void,
  ) {
    this.#title = title;
    this.#collection = collection;
    for (const [key, after] of collection.entries()) {
      for (const lookup of lookups) lookup.apply({ key, before: undefined, after });
    }
    collection.subscribe((changes) =>
      touched(
        changes.flatMap((change) => [
          this.#topic(change.key),
          ...lookups.flatMap((lookup) => lookup.apply(change)),
        ]),
      ),
    );
  }

  get(key: string, topics: Topics): T | undefined {
    topics.add(this.#topic(key));
    return this.#collection.get(key);
  }

  #topic(key: string): string {
    return `${this.#title} ${key}`;
  }
}

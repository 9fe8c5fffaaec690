import type { Change, Collection } from '../../kube/collection.ts';
import type { Topics } from './lookup.ts';

/** Is told of the topics of which something has changed. */
export type Touched = (topics: readonly string[]) => void;

/** Takes up changes, and gives the topics that each touches. */
interface Index<T> {
  apply(change: Change<T>): string[];
}

/** Keeps indexes of a collection up to date; `touched` is called once all of them have taken up a batch of changes. */
export function keepIndexed<T>(
  collection: Collection<T>,
  indexes: readonly Index<T>[],
  touched: Touched,
): void {
  const apply = (change: Change<T>) => indexes.flatMap((index) => index.apply(change));
  for (const [key, after] of collection.entries()) apply({ key, before: undefined, after });
  collection.subscribe((changes) => touched(changes.flatMap(apply)));
}

/** A collection whose readers are told when the object that they read changes. */
export class Indexed<T> {
  readonly #title: string;
  readonly #collection: Collection<T>;

  /** `title` tells its topics from those of others; the lookups are kept up to date with it. */
  constructor(title: string, collection: Collection<T>, lookups: readonly Index<T>[], touched: Touched) {
    this.#title = title;
    this.#collection = collection;
    keepIndexed(collection, [this, ...lookups], touched);
  }

  get(key: string, topics: Topics): T | undefined {
    topics.add(this.#topic(key));
    return this.#collection.get(key);
  }

  apply({ key }: Change<T>): string[] {
    return [this.#topic(key)];
  }

  #topic(key: string): string {
    return `${this.#title} ${key}`;
  }
}

import type { Change } from '../../kube/collection.ts';

/** What one reading has looked at, so that it can be done again when any of that changes. */
export type Topics = Set<string>;

/** Finds the objects of a collection by something else than their name; kept up to date change by change. */
export class Lookup<T> {
  readonly #title: string;
  readonly #keysOf: (object: T) => readonly string[];
  readonly #groups = new Map<string, readonly T[]>();

  /** `title` tells its topics from those of other lookups. */
  constructor(title: string, keysOf: (object: T) => readonly string[]) {
    this.#title = title;
    this.#keysOf = keysOf;
  }

  find(key: string, topics: Topics): readonly T[] {
    topics.add(this.#topic(key));
    return this.#groups.get(key) ?? [];
  }

  /** Takes up a change, and gives the topics that it touches. */
  apply({ before, after }: Change<T>): string[] {
    const left = before === undefined ? [] : this.#keysOf(before);
    const joined = after === undefined ? [] : this.#keysOf(after);
    for (const key of left) this.#replace(key, (group) => group.filter((object) => object !== before));
    if (after !== undefined) for (const key of joined) this.#replace(key, (group) => [...group, after]);
    return [...left, ...joined].map((key) => this.#topic(key));
  }

  #replace(key: string, change: (group: readonly T[]) => readonly T[]): void {
    const group = change(this.#groups.get(key) ?? []);
    if (group.length === 0) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }

  #topic(key: string): string {
    return `${this.#title} ${key}`;
  }
}

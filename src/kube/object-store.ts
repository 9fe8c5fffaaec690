import { isDeepStrictEqual } from 'node:util';
import { LatestValue } from '../runtime/latest.ts';
import type { Change, Collection } from './collection.ts';

type Listener<T> = (changes: readonly Change<T>[]) => void;

/** The writer's side of `Collection`. A value equal to the one that is there is no change: the old one stays. */
export class ObjectStore<T> implements Collection<T> {
  readonly synced = new LatestValue(false);
  readonly #values = new Map<string, T>();
  readonly #listeners = new Set<{ readonly call: Listener<T> }>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  entries(): Iterable<readonly [key: string, value: T]> {
    return this.#values;
  }

  subscribe(listener: Listener<T>): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** One batch, in order; undefined is for what is gone. A key that comes twice makes one change. */
  apply(values: Iterable<readonly [key: string, value: T | undefined]>): void {
    const changes = new Map<string, Change<T>>();
    for (const [key, after] of values) {
      const now = this.#values.get(key);
      if (isDeepStrictEqual(now, after)) continue;
      if (after === undefined) this.#values.delete(key);
      else this.#values.set(key, after);
      const earlier = changes.get(key);
      changes.set(key, { key, before: earlier === undefined ? now : earlier.before, after });
    }
    const real = [...changes.values()].filter((change) => !this.#cameBack(change));
    if (real.length > 0) this.#tell(real);
  }

  /** Everything there is: what is not among it is gone. From then on the store is synced. */
  replace(all: ReadonlyMap<string, T>): void {
    const gone = [...this.#values.keys()].filter((key) => !all.has(key));
    this.apply([...gone.map((key) => [key, undefined] as const), ...all]);
    this.synced.set(true);
  }

  /** Readers were not told of what was in between, so what they hold is what must be here. */
  #cameBack({ key, before, after }: Change<T>): boolean {
    if (!isDeepStrictEqual(before, after)) return false;
    if (before !== undefined) this.#values.set(key, before);
    return true;
  }

  #tell(changes: readonly Change<T>[]): void {
    for (const entry of [...this.#listeners]) {
      if (this.#listeners.has(entry)) callApart(entry.call, changes);
    }
  }
}

/** A listener that throws is a bug that must end the process, but neither the writer nor the other listeners. */
function callApart<T>(listener: Listener<T>, changes: readonly Change<T>[]): void {
  try {
    listener(changes);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A value that changes over time, as its readers see it. */
export interface Latest<T> {
  readonly value: T;
  /** Calls the listener on each change from now on, never at once; returns the way to stop. */
  subscribe(listener: (value: T) => void): () => void;
  /**
   * The first value, the present one included, that satisfies the predicate; one that is gone again within the
   * same turn may be missed. Rejects with `signal.reason` when aborted.
   */
  until(predicate: (value: T) => boolean, signal?: AbortSignal): Promise<T>;
  /** The present value, then each change; a slow reader gets only the newest. Ends when the signal is aborted. */
  changes(signal: AbortSignal): AsyncIterable<T>;
}

/** The writer's side of `Latest`. */
export class LatestValue<T> implements Latest<T> {
  readonly #same: (a: T, b: T) => boolean;
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>();
  #value: T;
  #version = 0;
  #reserved = 0;
  #applied = 0;

  /** A value that is the `same` as the present one is no change: it is dropped and nobody is told. */
  constructor(initial: T, same: (a: T, b: T) => boolean = Object.is) {
    this.#value = initial;
    this.#same = same;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.reserve()(value);
  }

  /**
   * Takes a place in the order of writes before a slow read is begun. The returned function sets the value
   * and says true, or does nothing and says false when a write of a later place came first.
   */
  reserve(): (value: T) => boolean {
    const place = ++this.#reserved;
    return (value) => {
      if (place <= this.#applied) return false;
      this.#applied = place;
      if (!this.#same(this.#value, value)) this.#publish(value);
      return true;
    };
  }

  subscribe(listener: (value: T) => void): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  async until(predicate: (value: T) => boolean, signal?: AbortSignal): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      const value = this.#value;
      if (predicate(value)) return value;
      await this.#changeOrAbort(signal);
    }
  }

  async *changes(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    let seen = -1;
    while (!signal.aborted) {
      if (seen === this.#version) {
        await this.#changeOrAbort(signal);
      } else {
        seen = this.#version;
        yield this.#value;
      }
    }
  }

  #changeOrAbort(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        unsubscribe();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const unsubscribe = this.subscribe(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #publish(value: T): void {
    this.#value = value;
    const version = ++this.#version;
    for (const entry of [...this.#listeners]) {
      // A listener that set a newer value has had everyone told of that one already.
      if (version !== this.#version) return;
      if (this.#listeners.has(entry)) callApart(entry.call, value);
    }
  }
}

/** A listener that throws is a bug that must end the process, but neither the writer nor the other listeners. */
function callApart<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

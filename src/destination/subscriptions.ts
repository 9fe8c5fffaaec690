import type { Watched } from './watched.ts';

interface Shared<T> {
  readonly watched: Watched<T>;
  leases: number;
}

/** One subscription per key, shared by all that ask: opened for the first, closed after the last. */
export class Subscriptions<T> {
  readonly #shared = new Map<string, Shared<T>>();

  /** Joins the subscription of `key`, or opens it. The caller closes what it is given; closing twice is harmless. */
  join(key: string, open: () => Watched<T>): Watched<T> {
    const shared = this.#shared.get(key) ?? this.#add(key, open());
    shared.leases += 1;
    let closed = false;
    return {
      state: shared.watched.state,
      close: () => {
        if (closed) return;
        closed = true;
        this.#leave(key, shared);
      },
    };
  }

  /** How many distinct keys are subscribed to now. */
  get size(): number {
    return this.#shared.size;
  }

  #add(key: string, watched: Watched<T>): Shared<T> {
    const shared = { watched, leases: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #leave(key: string, shared: Shared<T>): void {
    shared.leases -= 1;
    if (shared.leases > 0) return;
    this.#shared.delete(key);
    shared.watched.close();
  }
}

import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Watched } from '../watched.ts';
import type { Topics } from './lookup.ts';
import type { ViewFailures } from './view-failures.ts';

/** An answer that is followed. */
export interface Reading<T> {
  /** What logs and metrics call it: `endpoints`, of `shop/web:80`. */
  readonly view: string;
  readonly target: string;
  /** Gives the present answer and notes what it looked at. */
  readonly read: (topics: Topics) => T | undefined;
  readonly same: (a: T, b: T) => boolean;
}

interface View {
  readonly topics: Topics;
  refresh(): void;
}

/**
 * Answers that are kept up to date. Each is read again when something that it has read has changed; what changes
 * in quick succession is read once, when the turn of the event loop is over, so that a storm costs no more than the
 * time there is. One that cannot be read keeps its last answer until something that it has read changes again.
 */
export class Views {
  readonly #synced: Latest<boolean>;
  readonly #failures: ViewFailures;
  readonly #readers = new Map<string, Set<View>>();
  readonly #all = new Set<View>();
  #due = new Set<View>();
  #scheduled = false;

  /** Until `synced` every answer is `undefined`: not known yet. */
  constructor(synced: Latest<boolean>, failures: ViewFailures) {
    this.#synced = synced;
    this.#failures = failures;
    synced.subscribe(() => {
      for (const view of this.#all) this.#refreshLater(view);
    });
  }

  watch<T>({ view: kind, target, read, same }: Reading<T>): Watched<T> {
    const state = new LatestValue<T | undefined>(
      undefined,
      (a, b) => a === b || (a !== undefined && b !== undefined && same(a, b)),
    );
    const view: View = {
      topics: new Set(),
      refresh: () => {
        try {
          state.set(this.#read(view, read));
        } catch (error) {
          this.#failures.tell(kind, target, error);
        }
      },
    };
    this.#all.add(view);
    if (this.#synced.value) view.refresh();
    return { state, close: () => this.#close(view) };
  }

  /** Something about these topics has changed. */
  touch(topics: Iterable<string>): void {
    for (const topic of topics) {
      for (const view of this.#readers.get(topic) ?? []) this.#refreshLater(view);
    }
  }

  #read<T>(view: View, read: Reading<T>['read']): T | undefined {
    this.#leave(view);
    try {
      return read(view.topics);
    } finally {
      this.#join(view);
    }
  }

  #refreshLater(view: View): void {
    this.#due.add(view);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#refreshDue());
  }

  #refreshDue(): void {
    this.#scheduled = false;
    const due = this.#due;
    this.#due = new Set();
    for (const view of due) if (this.#all.has(view)) view.refresh();
  }

  #close(view: View): void {
    this.#all.delete(view);
    this.#leave(view);
  }

  #join(view: View): void {
    for (const topic of view.topics) {
      const readers = this.#readers.get(topic);
      if (readers === undefined) this.#readers.set(topic, new Set([view]));
      else readers.add(view);
    }
  }

  #leave(view: View): void {
    for (const topic of view.topics) {
      const readers = this.#readers.get(topic);
      readers?.delete(view);
      if (readers?.size === 0) this.#readers.delete(topic);
    }
    view.topics.clear();
  }
}

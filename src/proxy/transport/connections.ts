import type { ConnectionCapacity } from '../../runtime/connection-capacity.ts';

/** Something that can be ended from outside. */
export interface Stoppable {
  stop(): void;
}

/** What is open now, so that a shutdown can wait for it. Each takes its place of what the process has room for. */
export class Connections {
  readonly #open = new Set<Stoppable>();
  readonly #capacity: Pick<ConnectionCapacity, 'take'>;
  #whenEmpty: (() => void) | undefined;

  constructor(capacity: Pick<ConnectionCapacity, 'take'>) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Returns the way to say that it has ended. */
  add(connection: Stoppable): () => void {
    this.#open.add(connection);
    const free = this.#capacity.take();
    return () => {
      free();
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#whenEmpty?.();
    };
  }

  /** Waits until all have ended; at the deadline stops the rest. Resolves with how many had to be stopped. */
  async drain(deadline: AbortSignal): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
      if (this.#open.size === 0 || deadline.aborted) resolve();
      else deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    const left = [...this.#open];
    for (const connection of left) connection.stop();
    return left.length;
  }
}

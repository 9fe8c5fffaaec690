/** One condition of being ready. */
export interface Gate {
  open(): void;
  /** `reason` is shown to whoever asks what is missing. */
  close(reason: string): void;
}

/**
 * Whether this process can serve: it is ready once every gate is open. What works, but not as well as it should,
 * is told as degraded and closes nothing.
 */
export class Readiness {
  /** The closed gates, each with its reason. */
  readonly #closed = new Map<string, string>();
  readonly #names = new Set<string>();
  readonly #degraded = new Map<string, string>();

  /** Adds a gate, closed until it is opened. */
  gate(name: string): Gate {
    if (this.#names.has(name)) throw new TypeError(`expected gate names to differ, got ${name} twice`);
    this.#names.add(name);
    this.#closed.set(name, 'not yet');
    return {
      open: () => void this.#closed.delete(name),
      close: (reason) => void this.#closed.set(name, reason),
    };
  }

  /** Says why something works less well than it should, or with undefined that it is well again. */
  degraded(name: string, reason: string | undefined): void {
    if (reason === undefined) this.#degraded.delete(name);
    else this.#degraded.set(name, reason);
  }

  get ready(): boolean {
    return this.#closed.size === 0;
  }

  /** `ready` or `not ready`, then a line for each closed gate and each degradation. */
  report(): string {
    const lines = [
      this.ready ? 'ready' : 'not ready',
      ...[...this.#closed].map(([name, reason]) => `waiting: ${name}: ${reason}`),
      ...[...this.#degraded].map(([name, reason]) => `degraded: ${name}: ${reason}`),
    ];
    return lines.map((line) => `${line.replaceAll(/\p{C}+/gu, ' ')}\n`).join('');
  }
}

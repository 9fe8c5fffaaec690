import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';

/** Why a service is away for any of those who ask it; whichever was the first to say so speaks for all. */
export class Outages<K> {
  readonly #reasons = new Map<K, string>();
  readonly #first = new LatestValue<string | undefined>(undefined);

  /** Undefined while nobody is without an answer. */
  get first(): Latest<string | undefined> {
    return this.#first;
  }

  /** `undefined`: this one is answered again, or asks no more. */
  set(key: K, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(key);
    else this.#reasons.set(key, reason);
    const [first] = this.#reasons.values();
    this.#first.set(first);
  }
}

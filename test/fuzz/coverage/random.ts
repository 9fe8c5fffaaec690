import type { Change } from '../mutate/change.ts';
import { TURNING_BYTES } from '../mutate/change.ts';

/** Numbers that are the same for the same seed (xorshift, 32 bits). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % bound;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('expected something to pick from');
    return item;
  }

  change(): Change {
    const byte = this.below(2) === 0 ? this.below(256) : this.pick(TURNING_BYTES);
    return { kind: this.below(64), at: this.below(0x10000), byte, length: this.below(16) };
  }
}

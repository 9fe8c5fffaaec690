/** Who waits, and what for comparison: the smaller rank goes first, of equal ones who came first. */
interface Place<T> {
  readonly rank: number;
  readonly number: number;
  readonly waiter: T;
}

/** Those who wait, the most urgent first. */
export class WaitingLine<T> {
  readonly #places: Place<T>[] = [];
  #number = 0;

  get length(): number {
    return this.#places.length;
  }

  /** Takes a place; the function returned gives it up, where it is still held. */
  join(waiter: T, rank: number): () => void {
    const place = { rank, number: this.#number++, waiter };
    this.#places.splice(this.#indexOf(place), 0, place);
    return () => {
      const index = this.#indexOf(place);
      if (this.#places[index] === place) this.#places.splice(index, 1);
    };
  }

  /** The most urgent one. */
  get head(): T | undefined {
    return this.#places[0]?.waiter;
  }

  /** The most urgent one leaves. */
  first(): T | undefined {
    return this.#places.shift()?.waiter;
  }

  /** The least urgent one leaves. */
  last(): T | undefined {
    return this.#places.pop()?.waiter;
  }

  /** Where a place is, or would have to be. */
  #indexOf(place: Place<T>): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#places[middle];
      if (other !== undefined && isBefore(other, place)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore<T>(a: Place<T>, b: Place<T>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.number < b.number);
}

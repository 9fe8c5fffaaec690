interface PortRange {
  readonly first: number;
  readonly last: number;
}

const range = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** A set of TCP ports, kept as ranges that neither touch nor overlap, in order. */
export class PortSet {
  readonly #ranges: readonly PortRange[];

  private constructor(ranges: readonly PortRange[]) {
    this.#ranges = ranges;
  }

  /** Ports and ranges of 1 to 65535, separated by commas: `80,8000-8010`. Empty items are passed over. */
  static parse(text: string): PortSet | undefined {
    const items = text.split(',').map((item) => item.trim());
    const ranges = items.filter((item) => item !== '').map(parseRange);
    return ranges.every((item) => item !== undefined) ? new PortSet(merged(ranges)) : undefined;
  }

  has(port: number): boolean {
    return this.#ranges.some(({ first, last }) => first <= port && port <= last);
  }

  get size(): number {
    return this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const { first, last } of this.#ranges) {
      for (let port = first; port <= last; port++) yield port;
    }
  }

  /** The form `parse` reads, shortest and in order. */
  toString(): string {
    return this.#ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join();
  }
}

function parseRange(text: string): PortRange | undefined {
  const [, low, high = low] = range.exec(text) ?? [];
  const first = Number(low);
  const last = Number(high);
  return 1 <= first && first <= last && last <= 65535 ? { first, last } : undefined;
}

function merged(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = [];
  for (const next of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before !== undefined && next.first <= before.last + 1) {
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, next.last) };
    } else {
      result.push(next);
    }
  }
  return result;
}

import { Subscriptions } from '../../src/destination/subscriptions.ts';
import type { Watched } from '../../src/destination/watched.ts';
import { derive, project } from '../../src/destination/watched.ts';
import { LatestValue } from '../../src/runtime/latest.ts';

/** A source that counts how often it is opened and closed. */
function countingSource() {
  const counts = { opened: 0, closed: 0 };
  const state = new LatestValue<number | undefined>(1);
  const open = (): Watched<number> => {
    counts.opened += 1;
    return { state, close: () => void (counts.closed += 1) };
  };
  return { counts, state, open };
}

describe('Subscriptions', () => {
  it('opens a key once, for the first, and closes it once, after the last', () => {
    const { counts, open } = countingSource();
    const subscriptions = new Subscriptions<number>();
    const first = subscriptions.join('a', open);
    const second = subscriptions.join('a', open);
    expect(first.state).toBe(second.state);
    first.close();
    first.close();
    expect(counts).toEqual({ opened: 1, closed: 0 });
    second.close();
    expect(counts).toEqual({ opened: 1, closed: 1 });
    expect(subscriptions.size).toBe(0);
  });

  it('keeps keys apart and opens one anew after it was closed', () => {
    const { counts, open } = countingSource();
    const subscriptions = new Subscriptions<number>();
    const a = subscriptions.join('a', open);
    const b = subscriptions.join('b', open);
    expect(subscriptions.size).toBe(2);
    a.close();
    subscriptions.join('a', open).close();
    b.close();
    expect(counts).toEqual({ opened: 3, closed: 3 });
  });
});

describe('a projection', () => {
  const parity = (source: LatestValue<number | undefined>) =>
    project(
      source,
      (value) => ({ odd: value % 2 === 1 }),
      (a, b) => a.odd === b.odd,
    );

  it('is unknown until its source is known', () => {
    const source = new LatestValue<number | undefined>(undefined);
    const { state } = parity(source);
    expect(state.value).toBeUndefined();
    source.set(3);
    expect(state.value).toEqual({ odd: true });
  });

  it('changes only when its own aspect does', () => {
    const source = new LatestValue<number | undefined>(1);
    const { state } = parity(source);
    const seen: unknown[] = [];
    state.subscribe((value) => seen.push(value));
    for (const value of [3, 5, 6, 8, 9]) source.set(value);
    expect(seen).toEqual([{ odd: false }, { odd: true }]);
  });

  it('follows no longer once it is closed, and closes what it was derived from', () => {
    const { counts, state, open } = countingSource();
    const derived = derive(open(), (value) => value * 2, Object.is);
    expect(derived.state.value).toBe(2);
    derived.close();
    state.set(5);
    expect(derived.state.value).toBe(2);
    expect(counts).toEqual({ opened: 1, closed: 1 });
  });
});

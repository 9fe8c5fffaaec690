import type { Change } from '../../src/kube/collection.ts';
import { MemoryCollection } from '../support/memory-collection.ts';
import { ObjectStore } from '../../src/kube/object-store.ts';

describe('ObjectStore', () => {
  it('makes one change of a key that comes twice in a batch, and none of one that comes back', () => {
    const store = new ObjectStore<{ readonly n: number }>();
    store.apply([['a', { n: 1 }]]);
    const told: (readonly Change<{ readonly n: number }>[])[] = [];
    store.subscribe((changes) => told.push(changes));
    store.apply([
      ['a', { n: 2 }],
      ['b', { n: 1 }],
      ['b', undefined],
      ['a', { n: 3 }],
    ]);
    store.apply([
      ['a', undefined],
      ['a', { n: 3 }],
    ]);
    expect(told).toEqual([[{ key: 'a', before: { n: 1 }, after: { n: 3 } }]]);
  });

  it('keeps the very value where an equal one comes, so that readers may compare by identity', () => {
    const store = new ObjectStore<{ readonly n: number }>();
    store.apply([['a', { n: 1 }]]);
    const kept = store.get('a');
    store.replace(new Map([['a', { n: 1 }]]));
    expect(store.get('a')).toBe(kept);
  });

  it('keeps the very value that its readers hold where a batch ends with one that equals it', () => {
    const store = new ObjectStore<{ readonly n: number }>();
    store.apply([['a', { n: 1 }]]);
    const kept = store.get('a');
    store.apply([
      ['a', { n: 2 }],
      ['a', { n: 1 }],
    ]);
    store.apply([
      ['a', undefined],
      ['a', { n: 1 }],
    ]);
    expect(store.get('a')).toBe(kept);
  });

  it('has changed before it tells, and is synced after the first list was told', () => {
    const store = new ObjectStore<string>();
    const seen: unknown[] = [];
    store.subscribe(() => seen.push([store.get('a'), store.synced.value]));
    store.replace(new Map([['a', 'x']]));
    expect(seen).toEqual([['x', false]]);
    expect(store.synced.value).toBe(true);
  });

  it('tells nobody who no longer listens, also when that was decided by a listener before', () => {
    const store = new ObjectStore<string>();
    const told: string[] = [];
    const stops = [store.subscribe(() => stops[1]?.()), store.subscribe(() => told.push('second'))];
    store.apply([['a', 'x']]);
    expect(told).toEqual([]);
  });
});

describe('MemoryCollection', () => {
  it('is what a test makes of it', () => {
    const collection = new MemoryCollection<number>();
    const told: unknown[] = [];
    collection.subscribe((changes) => told.push(...changes));
    collection.set('a', 1).set('b', 2).delete('a');
    expect(collection.synced.value).toBe(false);
    expect(collection.sync().synced.value).toBe(true);
    expect([...collection.entries()]).toEqual([['b', 2]]);
    expect(told).toHaveLength(3);
  });
});

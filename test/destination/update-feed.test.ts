import * as fc from 'fast-check';
import type { Endpoint } from '../../src/destination/endpoint.ts';
import { EndpointSet } from '../../src/destination/endpoint-set.ts';
import { updateFeed } from '../../src/destination/update-feed.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { endpoint } from './support/endpoint.ts';
import { FoldedSet } from './support/folded-set.ts';

const view = { setLabels: {}, clientZone: undefined };

function feedOf(first: EndpointSet | undefined) {
  const source = new LatestValue<EndpointSet | undefined>(
    first,
    (a, b) => a !== undefined && b?.equals(a) === true,
  );
  const feed = updateFeed({ state: source, close: () => undefined }, view);
  return { source, feed };
}

const one = EndpointSet.of([endpoint('10.0.0.1:80')]);
const two = EndpointSet.of([endpoint('10.0.0.1:80'), endpoint('10.0.0.2:80')]);

describe('a feed of updates', () => {
  it('is unknown until its source is known', () => {
    const { source, feed } = feedOf(undefined);
    expect(feed.state.value).toBeUndefined();
    source.set(one);
    expect(feed.state.value?.set).toBe(one);
  });

  it('gives all that have seen the same the same message objects', () => {
    const { source, feed } = feedOf(one);
    const first = feed.state.value!;
    expect(first.updatesFor(undefined)[0]).toBe(first.updatesFor(undefined)[0]);
    source.set(two);
    const second = feed.state.value!;
    expect(second.updatesFor(one)).toHaveLength(1);
    expect(second.updatesFor(one)[0]).toBe(second.updatesFor(one)[0]);
  });

  it('brings one that missed a step to the present state', () => {
    const { source, feed } = feedOf(one);
    source.set(two);
    source.set(EndpointSet.of([endpoint('10.0.0.3:80')]));
    const folded = new FoldedSet();
    folded.apply(feedOf(one).feed.state.value!.updatesFor(undefined));
    folded.apply(feed.state.value!.updatesFor(one));
    expect(folded.keys).toEqual(['10.0.0.3:80']);
  });

  it('closes its source', () => {
    let closed = 0;
    const source = new LatestValue<EndpointSet | undefined>(one);
    const feed = updateFeed({ state: source, close: () => void (closed += 1) }, view);
    feed.close();
    source.set(two);
    expect(closed).toBe(1);
    expect(feed.state.value?.set).toBe(one);
  });

  it('adds up to the present state, whatever changes came before and whenever a reader joined', () => {
    const endpoints = fc.uniqueArray(
      fc.record({
        last: fc.integer({ min: 1, max: 6 }),
        weight: fc.constantFrom(1, 2),
        opaque: fc.boolean(),
      }),
      { selector: ({ last }) => last, maxLength: 6 },
    );
    const sets = fc.option(endpoints, { nil: undefined }).map((chosen) => {
      if (chosen === undefined) return EndpointSet.missing();
      return EndpointSet.of(
        chosen.map(({ last, ...parts }): Endpoint => endpoint(`10.0.0.${last}:80`, parts)),
      );
    });
    fc.assert(
      fc.property(fc.array(sets, { minLength: 1, maxLength: 8 }), fc.nat(8), ([first, ...later], joinAt) => {
        const { source, feed } = feedOf(first);
        const readers = [0, joinAt].map((from) => ({
          from,
          held: undefined as EndpointSet | undefined,
          folded: new FoldedSet(),
        }));
        [first, ...later].forEach((set, i) => {
          source.set(set);
          for (const reader of readers.filter(({ from }) => from <= i)) {
            const step = feed.state.value!;
            reader.folded.apply(reader.held === step.set ? [] : step.updatesFor(reader.held));
            reader.held = step.set;
            expect(reader.folded.state).toEqual(FoldedSet.stateOf(step.set));
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});

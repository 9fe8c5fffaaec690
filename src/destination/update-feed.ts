import type { Update } from '../rpc/destination-api.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { EndpointSet } from './endpoint-set.ts';
import type { UpdateView } from './translate-updates.ts';
import { changes, wholeSet } from './translate-updates.ts';
import type { Watched } from './watched.ts';

/** What is told of a set that is seen: all of it, or what has changed since another one. */
interface Told {
  whole?: readonly Update[];
  readonly changes: WeakMap<EndpointSet, readonly Update[]>;
}

/**
 * One state of a target as told to everyone with the same view. Its messages are made once and given to each stream
 * as the same objects, so that they are also turned into bytes once.
 */
export class UpdateStep {
  readonly set: EndpointSet;
  readonly #view: UpdateView;
  readonly #told = new Map<EndpointSet, Told>();

  constructor(set: EndpointSet, view: UpdateView) {
    this.set = set;
    this.#view = view;
  }

  /** The part of the set that a client of this view on that node is told of. */
  seenFrom(node: string | undefined): EndpointSet {
    return this.set.seenFrom({ zone: this.#view.clientZone, node });
  }

  /** What a stream that was told `held` so far (nothing at all when undefined) is to be told, to hold `seen`. */
  updatesFor(held: EndpointSet | undefined, seen = this.set): readonly Update[] {
    const told = this.#of(seen);
    if (held === undefined) return (told.whole ??= wholeSet(seen, this.#view));
    const known = told.changes.get(held) ?? changes(held, seen, this.#view);
    told.changes.set(held, known);
    return known;
  }

  #of(seen: EndpointSet): Told {
    const told = this.#told.get(seen) ?? { changes: new WeakMap<EndpointSet, readonly Update[]>() };
    this.#told.set(seen, told);
    return told;
  }
}

/** Follows the endpoints of a target as steps. Closing it closes what it follows. */
export function updateFeed(source: Watched<EndpointSet>, view: UpdateView): Watched<UpdateStep> {
  const step = (set: EndpointSet | undefined) => (set === undefined ? undefined : new UpdateStep(set, view));
  const state = new LatestValue(step(source.state.value));
  const unsubscribe = source.state.subscribe((set) => state.set(step(set) ?? state.value));
  return {
    state,
    close: () => {
      unsubscribe();
      source.close();
    },
  };
}

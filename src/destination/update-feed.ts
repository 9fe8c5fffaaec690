import type { Update } from '../rpc/destination-api.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { EndpointSet } from './endpoint-set.ts';
import type { UpdateView } from './translate-updates.ts';
import { changes, wholeSet } from './translate-updates.ts';
import type { Watched } from './watched.ts';

/**
 * One state of a target as told to everyone with the same view. Its messages are made once and given to each stream
 * as the same objects, so that they are also turned into bytes once.
 */
export class UpdateStep {
  readonly set: EndpointSet;
  readonly #before: EndpointSet | undefined;
  readonly #view: UpdateView;
  #whole: readonly Update[] | undefined;
  #changes: readonly Update[] | undefined;

  constructor(before: EndpointSet | undefined, set: EndpointSet, view: UpdateView) {
    this.#before = before;
    this.set = set;
    this.#view = view;
  }

  /** What a stream that was told `held` so far (nothing at all when undefined) is to be told now. */
  updatesFor(held: EndpointSet | undefined): readonly Update[] {
    if (held === undefined) return (this.#whole ??= wholeSet(this.set, this.#view));
    if (held !== this.#before) return changes(held, this.set, this.#view);
    return (this.#changes ??= changes(held, this.set, this.#view));
  }
}

/** Follows the endpoints of a target as steps. Closing it closes what it follows. */
export function updateFeed(source: Watched<EndpointSet>, view: UpdateView): Watched<UpdateStep> {
  const step = (before: UpdateStep | undefined, set: EndpointSet | undefined) =>
    set === undefined ? before : new UpdateStep(before?.set, set, view);
  const state = new LatestValue(step(undefined, source.state.value));
  const unsubscribe = source.state.subscribe((set) => state.set(step(state.value, set)));
  return {
    state,
    close: () => {
      unsubscribe();
      source.close();
    },
  };
}

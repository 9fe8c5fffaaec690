import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';

/** A value that is followed until closed. `undefined` until its source knows it. */
export interface Watched<T> {
  readonly state: Latest<T | undefined>;
  close(): void;
}

/** Follows one aspect of a larger value, and changes only when that aspect does. */
export function project<S, T>(
  source: Latest<S | undefined>,
  select: (whole: S) => T,
  same: (a: T, b: T) => boolean,
): Watched<T> {
  const read = (whole: S | undefined) => (whole === undefined ? undefined : select(whole));
  const state = new LatestValue<T | undefined>(
    read(source.value),
    (a, b) => a === b || (a !== undefined && b !== undefined && same(a, b)),
  );
  const close = source.subscribe((whole) => state.set(read(whole)));
  return { state, close };
}

/** As `project`, of a watch that is closed together with what comes of it. */
export function derive<S, T>(
  source: Watched<S>,
  select: (whole: S) => T,
  same: (a: T, b: T) => boolean,
): Watched<T> {
  const derived = project(source.state, select, same);
  return {
    state: derived.state,
    close: () => {
      derived.close();
      source.close();
    },
  };
}

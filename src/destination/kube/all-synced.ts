import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';

/** What is seen as a whole at one time or another. */
export interface Synced {
  readonly synced: Latest<boolean>;
}

/** Whether each of them has been seen once. */
export function allSynced(parts: Readonly<Record<string, Synced>>): Latest<boolean> {
  const all = Object.values(parts);
  const state = new LatestValue(false);
  const look = () => state.set(all.every(({ synced }) => synced.value));
  for (const { synced } of all) synced.subscribe(look);
  look();
  return state;
}

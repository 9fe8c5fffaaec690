import type { Latest } from '../../runtime/latest.ts';
import type { KeySet } from './key-set.ts';

/** Where the keys that verify tokens come from. */
export interface TokenKeys {
  readonly current: Latest<KeySet | undefined>;
  /** What keeps newer keys away; the present ones stay in use meanwhile. */
  readonly problem: Latest<string | undefined>;
  /**
   * Looks for newer keys because a token names an unknown one. Resolves once `current` is as new as it can be
   * had without asking too often; rejects with an error of kind `unavailable` when the source is away.
   */
  refresh(signal: AbortSignal): Promise<void>;
}

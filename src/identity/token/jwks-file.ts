import type { Source } from '../last-good.ts';
import type { KeySet } from './key-set.ts';
import type { TokenKeys } from './token-keys.ts';

/** Keys in a watched file: what is read is always the newest, so there is nothing to ask for. */
export function tokenKeysInFile(file: Source<KeySet>): TokenKeys {
  return { current: file.current, problem: file.problem, refresh: () => Promise.resolve() };
}

import { homedir } from 'node:os';
import path from 'node:path';

/** A path in the user's cache, outside the work tree: what takes minutes to make survives a fresh checkout. */
export function cacheDirectory(...names: readonly string[]): string {
  const given = process.env['XDG_CACHE_HOME'];
  const base = given !== undefined && path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
  return path.join(base, 'kedge', ...names);
}

import { readdirSync, readFileSync } from 'node:fs';

/** How many file descriptors are open; NaN where the system has no /proc. */
export function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return NaN;
  }
}

/** How many may be open; NaN where the system has no /proc. */
export function maxDescriptors(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

/**
 * For how many connections there are descriptors beside those that are open now, when each takes `each` of them and
 * `spare` are left for everything else; at least one, and no limit where the system tells none.
 */
export function connectionsPossible({ each, spare }: { each: number; spare: number }): number {
  const possible = Math.floor((maxDescriptors() - openDescriptors() - spare) / each);
  return Number.isNaN(possible) ? Infinity : Math.max(possible, 1);
}

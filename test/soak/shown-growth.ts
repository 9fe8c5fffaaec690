import type { Growth, Measure } from './growth.ts';

/** What a process held before and after, as people read it. */
export function shownGrowth(measure: Measure, growth: Growth | undefined): string {
  if (growth === undefined) return 'too young';
  const text = measure === 'descriptors' ? String : megabytes;
  return `${text(growth.before)} -> ${text(growth.after)}`;
}

export function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

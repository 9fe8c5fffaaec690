import type { ServerAnswer } from './messages.ts';

/** What this process has used so far. */
export function usage(): ServerAnswer {
  const { user, system } = process.cpuUsage();
  return { kind: 'usage', processorMs: (user + system) / 1000, residentBytes: process.memoryUsage.rss() };
}

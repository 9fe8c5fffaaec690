import type { Update, WeightedAddr } from './gen/io/linkerd/proxy/destination/destination.ts';

/** Clients take messages of up to 4 MB; an endpoint with its identity and labels is some 250 bytes, and 1 KB with long names. */
const MOST_OF_ONE = 4_000;

/** What adds these endpoints, in as many updates as it takes. */
export function addUpdates(
  addrs: readonly WeightedAddr[],
  metricLabels: Readonly<Record<string, string>> = {},
): Update[] {
  const updates: Update[] = [];
  for (let at = 0; at < addrs.length; at += MOST_OF_ONE) {
    const value = { addrs: addrs.slice(at, at + MOST_OF_ONE), metricLabels };
    updates.push({ update: { $case: 'add', value } });
  }
  return updates;
}

import { addUpdates } from './add-updates.ts';
import type { TcpAddress } from './gen/io/linkerd/proxy/net/net.ts';
import type { Update, WeightedAddr } from './gen/io/linkerd/proxy/destination/destination.ts';

/** What a reader of updates would know after some of them: nothing but the changes, or the whole set after a reset. */
interface Change {
  reset: Update | undefined;
  readonly removed: Map<string, TcpAddress>;
  readonly added: Map<string, WeightedAddr>;
}

/**
 * As few updates as have the effect of the waiting ones and the next: no endpoints, then what is new, then what is
 * gone, so that the reader has somewhere to go at every moment in between.
 */
export function foldUpdates(waiting: readonly Update[], next: Update): readonly Update[] {
  const change: Change = { reset: undefined, removed: new Map(), added: new Map() };
  for (const update of [...waiting, next]) apply(change, update);
  const folded: Update[] = [];
  if (change.reset !== undefined) folded.push(change.reset);
  folded.push(...addUpdates([...change.added.values()]));
  if (change.removed.size > 0) {
    folded.push({ update: { $case: 'remove', value: { addrs: [...change.removed.values()] } } });
  }
  return folded;
}

function apply(change: Change, message: Update): void {
  const update = message.update;
  if (update?.$case === 'add') {
    for (const addr of update.value.addrs) {
      const key = keyOf(addr.addr);
      change.removed.delete(key);
      // Sets may differ in their labels; once folded together only the addresses can carry them.
      change.added.set(key, {
        ...addr,
        metricLabels: { ...update.value.metricLabels, ...addr.metricLabels },
      });
    }
  } else if (update?.$case === 'remove') {
    for (const addr of update.value.addrs) {
      change.added.delete(keyOf(addr));
      change.removed.set(keyOf(addr), addr);
    }
  } else if (update?.$case === 'noEndpoints') {
    change.reset = message;
    change.removed.clear();
    change.added.clear();
  }
}

function keyOf(address: TcpAddress | undefined): string {
  const ip = address?.ip?.ip;
  const host = ip?.$case === 'ipv6' ? `${ip.value.first}:${ip.value.last}` : `${ip?.value ?? ''}`;
  return `${host}/${address?.port ?? ''}`;
}

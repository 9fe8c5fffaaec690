import { addUpdates } from '../rpc/add-updates.ts';
import type { Update } from '../rpc/destination-api.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointSet } from './endpoint-set.ts';
import { diffEndpointSets } from './endpoint-set.ts';
import { toTcpAddress } from '../rpc/ip-message.ts';
import { toWeightedAddr } from './translate-endpoint.ts';

/** Who the messages are for and about. */
export interface UpdateView {
  /** Labels of every endpoint of the set: the service and its namespace. */
  readonly setLabels: Readonly<Record<string, string>>;
  readonly clientZone: string | undefined;
}

/**
 * The first of a stream: the whole set, for the first Add replaces whatever the client had. An empty set is
 * said too, where silence would run into the client's three seconds for a first message (contract 4.4, gotcha 32).
 */
export function wholeSet(set: EndpointSet, view: UpdateView): Update[] {
  return set.size === 0 ? [nothing(set)] : add([...set.endpoints.values()], view);
}

/**
 * What to send to a client that holds `before`: what is new, then what is gone, so that the client has somewhere to
 * go at every moment in between. Nothing when both are the same.
 */
export function changes(before: EndpointSet, after: EndpointSet, view: UpdateView): Update[] {
  if (after.size === 0) return before.size === 0 && before.exists === after.exists ? [] : [nothing(after)];
  const { added, removed } = diffEndpointSets(before, after);
  const updates = add(added, view);
  if (removed.length > 0) updates.push(remove(removed));
  return updates;
}

function add(endpoints: readonly Endpoint[], view: UpdateView): Update[] {
  const addrs = endpoints.map((endpoint) => toWeightedAddr(endpoint, view.clientZone));
  return addUpdates(addrs, view.setLabels);
}

function remove(endpoints: readonly Endpoint[]): Update {
  const addrs = endpoints.map((endpoint) => toTcpAddress(endpoint.address, endpoint.port));
  return { update: { $case: 'remove', value: { addrs } } };
}

function nothing(set: EndpointSet): Update {
  return { update: { $case: 'noEndpoints', value: { exists: set.exists } } };
}

import type { Update } from '../../rpc/destination-api.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import { readAddress, readEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

/** What discovery says of one name: nothing yet, these endpoints (perhaps none), or no such name. */
export type EndpointState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'known'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'absent' };

/**
 * The endpoints of one name, folded from the updates of a stream that may break and be opened again
 * (contract 4.2). What a broken stream had told stays until the next stream's first Add, which
 * replaces all of it: the updates missed in between are unknown.
 */
export class EndpointSet {
  #endpoints = new Map<string, Endpoint>();
  #state: EndpointState = { kind: 'unknown' };
  /** True until the present stream has sent an Add. */
  #fresh = true;

  get state(): EndpointState {
    return this.#state;
  }

  /** A new stream was opened. */
  reopened(): void {
    this.#fresh = true;
  }

  /** Takes one update; tells whether it said anything (an empty or unusable update does not). */
  apply(update: Update): boolean {
    switch (update.update?.$case) {
      case 'add':
        return this.#add(update.update.value);
      case 'remove':
        return this.#remove(update.update.value.addrs);
      case 'noEndpoints':
        this.#endpoints = new Map();
        this.#state = update.update.value.exists ? { kind: 'known', endpoints: [] } : { kind: 'absent' };
        return true;
      case undefined:
        return false;
    }
  }

  #add(set: AddSet): boolean {
    const added = set.addrs.flatMap((entry) => readEndpoint(entry, set.metricLabels) ?? []);
    if (added.length === 0) return false;
    if (this.#fresh) this.#endpoints = new Map();
    this.#fresh = false;
    for (const endpoint of added) this.#endpoints.set(endpoint.key, endpoint);
    this.#publish();
    return true;
  }

  #remove(addresses: Parameters<typeof readAddress>[0][]): boolean {
    if (this.#fresh) return false;
    const keys = addresses.flatMap((entry) => readAddress(entry) ?? []).map(formatSocketAddress);
    if (keys.length === 0) return false;
    for (const key of keys) this.#endpoints.delete(key);
    this.#publish();
    return true;
  }

  #publish(): void {
    this.#state = { kind: 'known', endpoints: [...this.#endpoints.values()] };
  }
}

type AddSet = Extract<NonNullable<Update['update']>, { $case: 'add' }>['value'];

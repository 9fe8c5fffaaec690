import type { EndpointSet } from '../../../src/destination/endpoint-set.ts';
import { toWeightedAddr } from '../../../src/destination/translate-endpoint.ts';
import { fromIPAddress } from '../../../src/rpc/ip-message.ts';
import type { TcpAddress, Update, WeightedAddr } from '../../../src/rpc/destination-api.ts';
import { socketText } from '../../../src/runtime/ip-address.ts';

/** What a client knows after the updates it was sent, by the rules of contract 4.2. */
export class FoldedSet {
  readonly #addrs = new Map<string, WeightedAddr>();
  #exists: boolean | undefined;
  #begun = false;

  apply(updates: readonly Update[]): void {
    for (const { update } of updates) {
      if (update?.$case === 'add') {
        for (const addr of update.value.addrs) this.#addrs.set(keyOf(addr.addr), addr);
        this.#exists = true;
        this.#begun = true;
      } else if (update?.$case === 'remove') {
        if (!this.#begun) throw new Error('a remove before any add is not heard');
        for (const addr of update.value.addrs) this.#addrs.delete(keyOf(addr));
      } else if (update?.$case === 'noEndpoints') {
        this.#addrs.clear();
        this.#exists = update.value.exists;
        this.#begun = true;
      }
    }
  }

  /** `address:port` of each endpoint, in order. */
  get keys(): string[] {
    return [...this.#addrs.keys()].sort();
  }

  /** `undefined` until something was told. */
  get exists(): boolean | undefined {
    return this.#exists;
  }

  at(key: string): WeightedAddr | undefined {
    return this.#addrs.get(key);
  }

  /** All of it, to compare with `stateOf` a set. Labels of a set are left out: they are the same for all. */
  get state(): unknown {
    return { exists: this.#exists, addrs: sorted([...this.#addrs.values()]) };
  }

  /** For a client in that zone. */
  static stateOf(set: EndpointSet, clientZone?: string): unknown {
    return {
      exists: set.exists,
      addrs: sorted([...set.endpoints.values()].map((endpoint) => toWeightedAddr(endpoint, clientZone))),
    };
  }
}

function sorted(addrs: readonly WeightedAddr[]): WeightedAddr[] {
  return addrs.toSorted((a, b) => keyOf(a.addr).localeCompare(keyOf(b.addr)));
}

function keyOf(address: TcpAddress | undefined): string {
  const ip = fromIPAddress(address?.ip);
  if (ip === undefined) throw new Error('expected an address, got an endpoint without one');
  return socketText(ip, address?.port ?? 0);
}

import type { Endpoint } from './endpoint.ts';
import { endpointKey, sameEndpoint } from './endpoint.ts';

/** Every endpoint of a target at one moment. Immutable. */
export class EndpointSet {
  /** Whether the service and port are defined at all; a service that is defined may have no endpoint. */
  readonly exists: boolean;
  /** By `address:port`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;

  private constructor(exists: boolean, endpoints: ReadonlyMap<string, Endpoint>) {
    this.exists = exists;
    this.endpoints = endpoints;
  }

  static of(endpoints: Iterable<Endpoint>): EndpointSet {
    return new EndpointSet(
      true,
      new Map(Array.from(endpoints, (endpoint) => [endpointKey(endpoint), endpoint])),
    );
  }

  /** The set of a target that is not defined. */
  static missing(): EndpointSet {
    return new EndpointSet(false, new Map());
  }

  get size(): number {
    return this.endpoints.size;
  }

  equals(other: EndpointSet): boolean {
    if (this.exists !== other.exists || this.size !== other.size) return false;
    const { added, removed } = diffEndpointSets(this, other);
    return added.length === 0 && removed.length === 0;
  }
}

export interface EndpointDiff {
  /** New endpoints, and known ones of which something else is now true. */
  readonly added: readonly Endpoint[];
  readonly removed: readonly Endpoint[];
}

/** What a client that holds `before` has to be told to hold `after`. */
export function diffEndpointSets(before: EndpointSet, after: EndpointSet): EndpointDiff {
  const added: Endpoint[] = [];
  const removed: Endpoint[] = [];
  for (const [key, endpoint] of after.endpoints) {
    const known = before.endpoints.get(key);
    if (known === undefined || !sameEndpoint(known, endpoint)) added.push(endpoint);
  }
  for (const [key, endpoint] of before.endpoints) {
    if (!after.endpoints.has(key)) removed.push(endpoint);
  }
  return { added, removed };
}

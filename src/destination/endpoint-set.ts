import type { Endpoint } from './endpoint.ts';
import { endpointKey, sameEndpoint } from './endpoint.ts';

/** Where a client is. */
export interface ClientPlace {
  readonly zone: string | undefined;
  readonly node: string | undefined;
}

/** Which endpoints of a set a client may have, where that depends on its place. */
export interface Routing {
  /** The same object for all places that see the same, so that they can share what is told of it. */
  seenFrom(place: ClientPlace): EndpointSet;
  equals(other: Routing): boolean;
}

/** Every endpoint of a target at one moment. Immutable. */
export class EndpointSet {
  /** Whether the service and port are defined at all; a service that is defined may have no endpoint. */
  readonly exists: boolean;
  /** By `address:port`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;

  readonly #routing: Routing | undefined;

  private constructor(exists: boolean, endpoints: ReadonlyMap<string, Endpoint>, routing?: Routing) {
    this.exists = exists;
    this.endpoints = endpoints;
    this.#routing = routing;
  }

  /** With `routing` a client is told what it sees from its place, and without it of every endpoint. */
  static of(endpoints: Iterable<Endpoint>, routing?: Routing): EndpointSet {
    const byKey = new Map(Array.from(endpoints, (endpoint) => [endpointKey(endpoint), endpoint]));
    return new EndpointSet(true, byKey, routing);
  }

  /** The set of a target that is not defined. */
  static missing(): EndpointSet {
    return new EndpointSet(false, new Map());
  }

  get size(): number {
    return this.endpoints.size;
  }

  /** What a client there is told of. */
  seenFrom(place: ClientPlace): EndpointSet {
    return this.#routing?.seenFrom(place) ?? this;
  }

  equals(other: EndpointSet): boolean {
    if (this.exists !== other.exists || this.size !== other.size) return false;
    if (!sameRouting(this.#routing, other.#routing)) return false;
    const { added, removed } = diffEndpointSets(this, other);
    return added.length === 0 && removed.length === 0;
  }
}

function sameRouting(a: Routing | undefined, b: Routing | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
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

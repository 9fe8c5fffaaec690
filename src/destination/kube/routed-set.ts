import { isDeepStrictEqual } from 'node:util';
import type { Endpoint } from '../endpoint.ts';
import { endpointKey } from '../endpoint.ts';
import type { ClientPlace, Routing } from '../endpoint-set.ts';
import { EndpointSet } from '../endpoint-set.ts';
import type { Hints } from './endpoint-slice.ts';

/** An endpoint of a service, with what decides who is given it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** False for one that still serves while it ends. */
  readonly ready: boolean;
  readonly node: string | undefined;
  readonly hints: Hints | undefined;
}

/**
 * The set of a service as kube-proxy would have it. With `local` a client is given those on its own node and no
 * others. Else hints hold where every ready endpoint has some and one of them means the client; nodes come before zones.
 * Endpoints that are ending are given only where there would be none at all.
 */
export function routedSet(candidates: readonly Candidate[], local: boolean): EndpointSet {
  if (local) return EndpointSet.of(endpointsOf(candidates), new LocalRouting(candidates));
  const usable = readyOrDraining(candidates);
  const hinted = usable.length > 0 && usable.every(({ ready, hints }) => ready && hints !== undefined);
  return EndpointSet.of(endpointsOf(usable), hinted ? new HintRouting(usable) : undefined);
}

/** Selections that have been made, by what they were made for. */
class Selections {
  readonly #placed: readonly Candidate[];
  readonly #sets = new Map<string, EndpointSet>();

  constructor(candidates: readonly Candidate[]) {
    this.#placed = candidates;
  }

  select(key: string, choose: (all: readonly Candidate[]) => readonly Candidate[]): EndpointSet {
    const known = this.#sets.get(key) ?? EndpointSet.of(endpointsOf(choose(this.#placed)));
    this.#sets.set(key, known);
    return known;
  }

  equals(other: Selections): boolean {
    return isDeepStrictEqual(placements(this.#placed), placements(other.#placed));
  }
}

class LocalRouting implements Routing {
  readonly #selections: Selections;

  constructor(candidates: readonly Candidate[]) {
    this.#selections = new Selections(candidates);
  }

  /** On a node that is not known there is none: to be given another node's is just what the service forbids. */
  seenFrom({ node }: ClientPlace): EndpointSet {
    return this.#selections.select(node ?? '', (all) =>
      readyOrDraining(all.filter((one) => node !== undefined && one.node === node)),
    );
  }

  equals(other: Routing): boolean {
    return other instanceof LocalRouting && this.#selections.equals(other.#selections);
  }
}

class HintRouting implements Routing {
  readonly #selections: Selections;
  readonly #nodes: ReadonlySet<string>;
  readonly #zones: ReadonlySet<string>;

  constructor(candidates: readonly Candidate[]) {
    this.#selections = new Selections(candidates);
    this.#nodes = hintedPlaces(candidates, 'nodes');
    this.#zones = hintedPlaces(candidates, 'zones');
  }

  seenFrom({ node, zone }: ClientPlace): EndpointSet {
    if (node !== undefined && this.#nodes.has(node)) return this.#hinted('nodes', node);
    if (zone !== undefined && this.#zones.has(zone)) return this.#hinted('zones', zone);
    return this.#selections.select('everywhere', (all) => all);
  }

  equals(other: Routing): boolean {
    return other instanceof HintRouting && this.#selections.equals(other.#selections);
  }

  #hinted(kind: keyof Hints, place: string): EndpointSet {
    return this.#selections.select(`${kind} ${place}`, (all) =>
      all.filter(({ hints }) => hints?.[kind].includes(place)),
    );
  }
}

/** The places that hints name; none unless each candidate has a hint of that kind. */
function hintedPlaces(candidates: readonly Candidate[], kind: keyof Hints): ReadonlySet<string> {
  const places = candidates.map(({ hints }) => hints?.[kind] ?? []);
  return new Set(places.some((names) => names.length === 0) ? [] : places.flat());
}

function readyOrDraining(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  return ready.length > 0 ? ready : candidates;
}

function endpointsOf(candidates: readonly Candidate[]): Endpoint[] {
  return candidates.map(({ endpoint }) => endpoint);
}

function placements(candidates: readonly Candidate[]): Map<string, Omit<Candidate, 'endpoint'>> {
  return new Map(candidates.map(({ endpoint, ...placement }) => [endpointKey(endpoint), placement]));
}

interface Made {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/**
 * The one that was made last; of those of one second, the one whose name comes first. Two owners of one address are a
 * moment in which the end of the older one has not been seen yet, for the API server gives no address twice.
 */
export function newest<T extends Made>(objects: readonly T[]): T | undefined {
  return objects.reduce<T | undefined>(
    (best, next) => (best === undefined || isNewer(next, best) ? next : best),
    undefined,
  );
}

function isNewer(a: Made, b: Made): boolean {
  if (a.created !== b.created) return a.created > b.created;
  return a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace;
}

/**
 * The one that was made last. Two owners of one address are a moment in which the end of the older one has not been
 * seen yet, for the API server gives no address twice.
 */
export function newest<T extends { readonly created: number }>(objects: readonly T[]): T | undefined {
  return objects.reduce<T | undefined>(
    (best, next) => (best === undefined || next.created > best.created ? next : best),
    undefined,
  );
}

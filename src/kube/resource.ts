/** One kind of object as its URL names it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** `endpointslices`: the last part of the URL, and the name in RBAC rules. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Versions that can be read in its place, as the same, where an API server does not serve that one; newest first. */
  readonly olderVersions?: readonly string[];
}

/** Where an object is, or a list of them: no namespace means all of them, no name means the list. */
export interface Place {
  readonly namespace?: string;
  readonly name?: string;
  /** `status` and the like. */
  readonly subresource?: string;
}

/** `apps/v1`, or `v1` in the core group. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path of the URL, percent-encoded. */
export function pathOf(resource: Resource, place: Place = {}): string {
  const { namespace, name, subresource } = place;
  return [
    resource.group === '' ? '/api' : `/apis/${resource.group}`,
    resource.version,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    resource.plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ].join('/');
}

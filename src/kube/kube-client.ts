import type { KubeObject } from './kube-object.ts';
import type { Place, Resource } from './resource.ts';

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Given to the next call; undefined on the last page. */
  readonly next: string | undefined;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects per page. */
  readonly limit?: number;
  readonly next?: string;
  /** `0`: whatever the API server has in its cache. */
  readonly resourceVersion?: string;
}

/**
 * Calls to the API server. Every promise rejects with an AppError of `kubeErrors` (docs/errors.md), with the server's
 * own hint when to come back where it gave one; none waits longer than the client's deadline.
 */
export interface KubeClient {
  read<T extends KubeObject>(resource: Resource, place: Place, signal: AbortSignal): Promise<T>;
  list<T extends KubeObject>(
    resource: Resource,
    place: Place,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ListPage<T>>;
  /** Also for the kinds that only answer, such as TokenReview. Rejects with `kube_exists`. */
  create<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    signal: AbortSignal,
  ): Promise<T>;
  /** Replaces the object; with its resourceVersion in `object`, rejects with `kube_conflict` if it has changed since. */
  replace<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    signal: AbortSignal,
  ): Promise<T>;
  /** Server-side apply under Kedge's field manager. `force` takes over fields that others own. */
  apply<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    options: { readonly force: boolean },
    signal: AbortSignal,
  ): Promise<T>;
  /** JSON merge patch (RFC 7386). */
  patch<T extends KubeObject>(
    resource: Resource,
    place: Place,
    change: object,
    signal: AbortSignal,
  ): Promise<T>;
  remove(resource: Resource, place: Place, signal: AbortSignal): Promise<void>;
}

import { kubeErrors } from './errors.ts';
import type { ListOptions, ListPage } from './kube-client.ts';
import { nameOf } from './kube-http.ts';
import type { Call, KubeHttp } from './kube-http.ts';
import type { KubeObject } from './kube-object.ts';
import type { KubeConnection, WatchEvent, WatchOptions } from './kube-watch.ts';
import { apiVersionOf, pathOf } from './resource.ts';
import type { Place, Resource } from './resource.ts';
import { watchEvents } from './watch-events.ts';

const listDeadlineMs = 60_000;
const applyPatch = 'application/apply-patch+yaml';
const mergePatch = 'application/merge-patch+json';

/** `KubeConnection` over HTTP. */
export class HttpKubeClient implements KubeConnection {
  readonly #http: KubeHttp;
  readonly #fieldManager: string;

  /** `fieldManager` is shown by the API server as the owner of what this client writes. */
  constructor(http: KubeHttp, fieldManager: string) {
    this.#http = http;
    this.#fieldManager = fieldManager;
  }

  read<T extends KubeObject>(resource: Resource, place: Place, signal: AbortSignal): Promise<T> {
    return this.#object(call('get', 'GET', resource, place), signal);
  }

  async list<T extends KubeObject>(
    resource: Resource,
    place: Place,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ListPage<T>> {
    const { next, limit, ...query } = options;
    const asked: Call = {
      ...call('list', 'GET', resource, place),
      query: { ...query, limit: limit?.toString(), continue: next },
      deadlineMs: listDeadlineMs,
    };
    return pageOf(asked, await this.#http.json(asked, signal));
  }

  create<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#object(
      this.#write(call('create', 'POST', resource, place), typed(resource, object)),
      signal,
    );
  }

  replace<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#object(this.#write(call('update', 'PUT', resource, place), typed(resource, object)), signal);
  }

  apply<T extends KubeObject>(
    resource: Resource,
    place: Place,
    object: object,
    { force }: { readonly force: boolean },
    signal: AbortSignal,
  ): Promise<T> {
    const write = this.#write(call('patch', 'PATCH', resource, place), typed(resource, object));
    const query = { ...write.query, force: String(force) };
    return this.#object({ ...write, query, contentType: applyPatch }, signal);
  }

  patch<T extends KubeObject>(
    resource: Resource,
    place: Place,
    change: object,
    signal: AbortSignal,
  ): Promise<T> {
    const write = this.#write(call('patch', 'PATCH', resource, place), change);
    return this.#object({ ...write, contentType: mergePatch }, signal);
  }

  async remove(resource: Resource, place: Place, signal: AbortSignal): Promise<void> {
    await this.#http.text(call('delete', 'DELETE', resource, place), signal);
  }

  readPath(path: string, signal: AbortSignal): Promise<string> {
    return this.#http.text({ verb: 'get', method: 'GET', resource: path, path }, signal);
  }

  async watch<T extends KubeObject>(
    resource: Resource,
    place: Place,
    options: WatchOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<readonly WatchEvent<T>[]>> {
    const { timeoutMs, ...query } = options;
    const timeoutSeconds = Math.ceil(timeoutMs / 1000).toString();
    const asked: Call = {
      ...call('watch', 'GET', resource, place),
      query: { ...query, watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds },
    };
    return watchEvents(nameOf(asked), await this.#http.stream(asked, signal));
  }

  #write(to: Call, body: object): Call {
    return { ...to, body, query: { fieldManager: this.#fieldManager } };
  }

  async #object<T extends KubeObject>(asked: Call, signal: AbortSignal): Promise<T> {
    const value = await this.#http.json(asked, signal);
    if (typeof value === 'object' && value !== null) return value as T;
    throw kubeErrors.error('kube_answer_invalid', `${nameOf(asked)}: expected an object, got something else`);
  }
}

function call(verb: string, method: string, resource: Resource, place: Place): Call {
  const { plural } = resource;
  const named = place.subresource === undefined ? plural : `${plural}/${place.subresource}`;
  return { verb, method, resource: named, path: pathOf(resource, place) };
}

function typed(resource: Resource, object: object): object {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

function pageOf<T extends KubeObject>(asked: Call, answer: unknown): ListPage<T> {
  const { items, metadata } = (answer ?? {}) as {
    readonly items?: T[] | null;
    readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  };
  if (metadata?.resourceVersion === undefined || !(items === null || Array.isArray(items))) {
    throw kubeErrors.error('kube_answer_invalid', `${nameOf(asked)}: expected a list, got something else`);
  }
  return {
    items: items ?? [],
    resourceVersion: metadata.resourceVersion,
    next: metadata.continue || undefined,
  };
}

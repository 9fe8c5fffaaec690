import type { KubeClient, ListOptions, ListPage } from '../../src/kube/kube-client.ts';
import { kubeErrors } from '../../src/kube/errors.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { pathOf, type Place, type Resource } from '../../src/kube/resource.ts';

type Verb = 'read' | 'list' | 'create' | 'replace' | 'apply' | 'patch' | 'remove';
type Members = Record<string, unknown>;

/** One call, as a test sees it. */
export interface Call {
  readonly verb: Verb;
  /** `secrets`, the plural. */
  readonly resource: string;
  readonly place: Place;
  readonly object: unknown;
}

/**
 * An API server of a test without a network: objects by their place, versions that count up, refusals by the same codes.
 * Several clients of one may stand for several replicas.
 */
export class MemoryKube implements KubeClient {
  readonly #objects = new Map<string, KubeObject & Members>();
  #version = 0;
  readonly calls: Call[] = [];
  /** Runs before each call; what it throws, the call rejects with. */
  before: (call: Call) => void | Promise<void> = () => undefined;
  /** Runs when a call has been done, before its answer is there: a crash of the caller, a lost answer. */
  after: (call: Call) => void | Promise<void> = () => undefined;
  /** Answers kinds that are only asked. */
  answer: (call: Call) => object | undefined = () => undefined;

  /** Puts an object there as somebody else would. */
  put(resource: Resource, object: { metadata: { name: string; namespace?: string } } & Members): void {
    this.#store(resource, placeOf(object), object);
  }

  object(resource: Resource, place: Place): (KubeObject & Members) | undefined {
    return this.#objects.get(pathOf(resource, place));
  }

  delete(resource: Resource, place: Place): void {
    this.#objects.delete(pathOf(resource, place));
  }

  /** The calls that change something. */
  get writes(): Call[] {
    return this.calls.filter(({ verb }) => verb !== 'read' && verb !== 'list');
  }

  read<T extends KubeObject>(resource: Resource, place: Place): Promise<T> {
    return this.#call('read', resource, place, undefined, () =>
      this.#existing(resource, place),
    ) as Promise<T>;
  }

  list<T extends KubeObject>(resource: Resource, place: Place, options: ListOptions): Promise<ListPage<T>> {
    return this.#call('list', resource, place, options, () => {
      const prefix = pathOf({ ...resource }, place);
      const items = [...this.#objects]
        .filter(([path]) => path.startsWith(prefix))
        .map(([, object]) => object);
      return { items, resourceVersion: String(this.#version), next: undefined };
    }) as Promise<ListPage<T>>;
  }

  create<T extends KubeObject>(resource: Resource, place: Place, object: object): Promise<T> {
    return this.#call('create', resource, place, object, (call) => {
      const answer = this.answer(call);
      if (answer !== undefined) return answer;
      const at = { ...place, ...placeOf(object as KubeObject) };
      if (this.#objects.has(pathOf(resource, at)))
        throw kubeErrors.error('kube_exists', `${at.name} is there`);
      return this.#store(resource, at, object as Members);
    }) as Promise<T>;
  }

  replace<T extends KubeObject>(resource: Resource, place: Place, object: object): Promise<T> {
    return this.#call('replace', resource, place, object, () => {
      const before = this.#existing(resource, place);
      const version = (object as KubeObject).metadata.resourceVersion;
      if (version !== undefined && version !== before.metadata.resourceVersion) {
        throw kubeErrors.error('kube_conflict', `${place.name ?? ''} has changed`);
      }
      return this.#store(resource, place, object as Members);
    }) as Promise<T>;
  }

  apply<T extends KubeObject>(resource: Resource, place: Place, object: object): Promise<T> {
    return this.#call('apply', resource, place, object, () => {
      const before = this.#objects.get(pathOf(resource, place));
      return this.#store(resource, place, { ...before, ...object });
    }) as Promise<T>;
  }

  patch<T extends KubeObject>(resource: Resource, place: Place, change: object): Promise<T> {
    return this.#call('patch', resource, place, change, () =>
      this.#store(resource, place, { ...this.#existing(resource, place), ...change }),
    ) as Promise<T>;
  }

  async remove(resource: Resource, place: Place): Promise<void> {
    await this.#call('remove', resource, place, undefined, () =>
      this.#objects.delete(pathOf(resource, place)),
    );
  }

  async #call(
    verb: Verb,
    { plural }: Resource,
    place: Place,
    object: unknown,
    run: (call: Call) => unknown,
  ): Promise<unknown> {
    const call = { verb, resource: plural, place, object };
    this.calls.push(call);
    await this.before(call);
    const result = structuredClone(run(call));
    await this.after(call);
    return result;
  }

  #existing(resource: Resource, place: Place): KubeObject & Members {
    const found = this.#objects.get(pathOf(resource, place));
    if (found === undefined) throw kubeErrors.error('kube_not_found', `${place.name ?? ''} is not there`);
    return found;
  }

  #store(resource: Resource, place: Place, object: Members): KubeObject & Members {
    this.#version += 1;
    const metadata = {
      ...(object['metadata'] as object),
      name: place.name ?? '',
      ...(place.namespace !== undefined && { namespace: place.namespace }),
      resourceVersion: String(this.#version),
    };
    const stored = structuredClone({ ...object, metadata });
    this.#objects.set(pathOf(resource, place), stored);
    return stored;
  }
}

function placeOf({ metadata: { name, namespace } }: Pick<KubeObject, 'metadata'>): Place {
  return { name, ...(namespace !== undefined && { namespace }) };
}

import type { KubeObject } from '../../src/kube/kube-object.ts';

export interface FakeEvent {
  readonly kind: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: KubeObject;
}

/** What an API server and its etcd keep: objects by the path of their kind, and the history of their changes. */
export class FakeKubeObjects {
  version: number;
  /** Versions before this one are forgotten. */
  oldest = 0;
  readonly history: FakeEvent[] = [];
  readonly #kinds = new Map<string, Map<string, KubeObject>>();
  onEvent: (event: FakeEvent) => void = () => undefined;

  constructor(version = 1_000) {
    this.version = version;
  }

  /** In the order of their keys. */
  list(kind: string): KubeObject[] {
    return [...this.#of(kind)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  get(kind: string, key: string): KubeObject | undefined {
    return this.#of(kind).get(key);
  }

  put(kind: string, key: string, object: KubeObject): KubeObject {
    const type = this.#of(kind).has(key) ? 'MODIFIED' : 'ADDED';
    return this.#change(kind, key, type, object);
  }

  delete(kind: string, key: string): KubeObject | undefined {
    const object = this.get(kind, key);
    return object && this.#change(kind, key, 'DELETED', object);
  }

  #change(kind: string, key: string, type: FakeEvent['type'], object: KubeObject): KubeObject {
    const version = ++this.version;
    const { uid = `uid-${version}` } = object.metadata;
    const written = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    if (type === 'DELETED') this.#of(kind).delete(key);
    else this.#of(kind).set(key, written);
    const event = { kind, type, version, object: written };
    this.history.push(event);
    this.onEvent(event);
    return written;
  }

  #of(kind: string): Map<string, KubeObject> {
    const known = this.#kinds.get(kind) ?? new Map<string, KubeObject>();
    this.#kinds.set(kind, known);
    return known;
  }
}

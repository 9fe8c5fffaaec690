import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objectKey } from '../../src/kube/collection.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { pathOf } from '../../src/kube/resource.ts';
import type { Resource } from '../../src/kube/resource.ts';
import { FakeKubeObjects } from './fake-kube-objects.ts';
import type { FakeEvent } from './fake-kube-objects.ts';

export interface FakeRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** Answers in place of the API server, or says false to let it answer. */
export type Fault = (request: FakeRequest, response: ServerResponse) => boolean;

interface Watch {
  readonly target: Target;
  readonly response: ServerResponse;
}

/** The parts of a path. */
interface Target {
  /** Path of all objects of the kind. */
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly query: URLSearchParams;
}

/** An API server on a loopback socket, in plain HTTP, without rights or validation, with the faults that a test scripts. */
export class FakeKubeApi implements AsyncDisposable {
  readonly requests: FakeRequest[] = [];
  objects: FakeKubeObjects;
  fault: Fault = () => false;
  readonly #watches = new Set<Watch>();
  #server: Server | undefined;
  #port = 0;

  private constructor() {
    this.objects = this.#adopt(new FakeKubeObjects());
  }

  static async start(): Promise<FakeKubeApi> {
    const api = new FakeKubeApi();
    await api.start();
    return api;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Those with this method and a path that ends so, oldest first. */
  requestsTo(method: string, end: string): FakeRequest[] {
    return this.requests.filter((request) => request.method === method && request.path.endsWith(end));
  }

  put(resource: Resource, object: KubeObject): KubeObject {
    return this.objects.put(pathOf(resource), objectKey(object.metadata), object);
  }

  delete(resource: Resource, key: string): void {
    this.objects.delete(pathOf(resource), key);
  }

  /** To every watch: all is told up to now. */
  bookmark(): void {
    const object = { metadata: { resourceVersion: String(this.objects.version) } };
    this.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** As it is, to every watch. */
  write(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  /** In order, as after `timeoutSeconds`. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  breakWatches(): void {
    for (const { response } of this.#watches) response.socket?.resetAndDestroy();
  }

  /** Forgets the history up to now. */
  compact(): void {
    this.objects.oldest = this.objects.version;
  }

  /** As if etcd had been restored from a backup, or made anew. */
  replaceObjects(objects: FakeKubeObjects): void {
    this.objects = this.#adopt(objects);
  }

  /** On the same port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #adopt(objects: FakeKubeObjects): FakeKubeObjects {
    objects.onEvent = (event) => {
      for (const watch of this.#watches) sendEvent(watch, event);
    };
    return objects;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '', this.url);
    const request: FakeRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await bodyOf(incoming),
    };
    this.requests.push(request);
    if (this.fault(request, response)) return;
    const target = targetOf(request);
    if (request.query.get('watch') === 'true') this.#watch(target, response);
    else if (request.method !== 'GET') this.#write(target, request, response);
    else if (target.name === undefined) this.#list(target, response);
    else this.#read(target, response);
  }

  #watch(target: Target, response: ServerResponse): void {
    const from = Number(target.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.objects.oldest) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
      return;
    }
    const watch = { target, response };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
    for (const event of this.objects.history) if (event.version > from) sendEvent(watch, event);
  }

  #list(target: Target, response: ServerResponse): void {
    const limit = Number(target.query.get('limit') ?? '0') || Infinity;
    const [version = this.objects.version, from = 0] = (target.query.get('continue') ?? '')
      .split(':')
      .filter((part) => part !== '')
      .map(Number);
    if (version < this.objects.oldest) {
      answer(response, 410, status(410, 'Expired'));
      return;
    }
    const all = this.objects.list(target.kind).filter((object) => isMeant(target, object));
    const items = all.slice(from, from + limit);
    const more = from + limit < all.length ? { continue: `${version}:${from + limit}` } : {};
    answer(response, 200, { metadata: { resourceVersion: String(version), ...more }, items });
  }

  #read({ kind, namespace, name = '' }: Target, response: ServerResponse): void {
    const object = this.objects.get(kind, objectKey({ name, ...(namespace !== undefined && { namespace }) }));
    if (object === undefined) answer(response, 404, status(404, 'NotFound'));
    else answer(response, 200, object);
  }

  #write(
    { kind, namespace, name }: Target,
    { method, body, headers }: FakeRequest,
    response: ServerResponse,
  ): void {
    const given = body as Partial<KubeObject> | undefined;
    const metadata = { ...(namespace !== undefined && { namespace }), ...given?.metadata };
    const key = objectKey({ ...metadata, name: name ?? given?.metadata?.name ?? '' });
    const known = this.objects.get(kind, key);
    const isApply = headers['content-type']?.startsWith('application/apply-patch') === true;
    if (method === 'POST' && known !== undefined) {
      answer(response, 409, status(409, 'AlreadyExists'));
    } else if (method !== 'POST' && !isApply && known === undefined) {
      answer(response, 404, status(404, 'NotFound'));
    } else if (method === 'DELETE') {
      answer(response, 200, this.objects.delete(kind, key));
    } else if (isStale(known, given)) {
      answer(response, 409, status(409, 'Conflict'));
    } else {
      const before = method === 'PATCH' ? known : undefined;
      const merged = {
        ...before,
        ...given,
        metadata: { ...before?.metadata, ...metadata, name: key.split('/').at(-1) },
      };
      answer(response, method === 'POST' ? 201 : 200, this.objects.put(kind, key, merged as KubeObject));
    }
  }
}

/** The API server's own words for an error. */
export function status(code: number, reason: string, message = `it is ${reason}`): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

export function answer(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function isStale(known: KubeObject | undefined, given: Partial<KubeObject> | undefined): boolean {
  const asked = given?.metadata?.resourceVersion;
  return known !== undefined && asked !== undefined && asked !== known.metadata.resourceVersion;
}

function sendEvent({ target, response }: Watch, { kind, type, object }: FakeEvent): void {
  if (kind !== target.kind || !isMeant(target, object)) return;
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function isMeant({ namespace, query }: Target, { metadata }: KubeObject): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const field = query.get('fieldSelector');
  if (field !== null && field !== `metadata.name=${metadata.name}`) return false;
  const labels = query.get('labelSelector')?.split(',') ?? [];
  return labels.every((label) => {
    const [name = '', value] = label.split('=');
    return metadata.labels?.[name] === value;
  });
}

/** `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]` */
function targetOf({ path, query }: FakeRequest): Target {
  const match =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?/.exec(path);
  const [, base = '', namespace, plural = '', name] = match ?? [];
  return { kind: `${base}/${plural}`, namespace, name, query };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

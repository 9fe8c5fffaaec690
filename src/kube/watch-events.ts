import { statusError } from './answer-error.ts';
import { kubeErrors } from './errors.ts';
import type { KubeObject } from './kube-object.ts';
import type { WatchEvent } from './kube-watch.ts';
import { LineSplitter } from './line-splitter.ts';

/** An object is at most 1.5 MB in etcd; written as JSON, a few times as much. */
const maxEventBytes = 16 * 1024 * 1024;

const types = new Set<unknown>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** What a line may be, if it is JSON at all. */
interface Raw {
  readonly type?: unknown;
  readonly object?: Partial<KubeObject>;
}

/** The events of a watch's body, by the pieces in which they come. */
export async function* watchEvents<T extends KubeObject>(
  what: string,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<readonly WatchEvent<T>[], void, undefined> {
  const splitter = new LineSplitter(maxEventBytes);
  for await (const chunk of body) yield splitter.push(chunk).map((line) => eventOf<T>(what, line));
}

function eventOf<T extends KubeObject>(what: string, line: string): WatchEvent<T> {
  const event = parse(line) as Raw | null;
  if (event?.type === 'ERROR') throw statusError(what, event.object);
  if (!isEvent(event)) {
    throw kubeErrors.error(
      'kube_answer_invalid',
      `${what}: expected an event of a watch, got something else`,
    );
  }
  return event as WatchEvent<T>;
}

function isEvent(event: Raw | null): boolean {
  const { name, resourceVersion } = event?.object?.metadata ?? {};
  const named = event?.type === 'BOOKMARK' || typeof name === 'string';
  return types.has(event?.type) && typeof resourceVersion === 'string' && named;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

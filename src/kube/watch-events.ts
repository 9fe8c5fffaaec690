import { statusError } from './answer-error.ts';
import { kubeErrors } from './errors.ts';
import type { KubeObject } from './kube-object.ts';
import type { WatchEvent } from './kube-watch.ts';
import { LineSplitter } from './line-splitter.ts';

/** An object is at most 1.5 MB in etcd; written as JSON, a few times as much. */
const maxEventBytes = 16 * 1024 * 1024;

const types = new Set<unknown>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** The events of a watch's body, by the pieces in which they come. */
export async function* watchEvents<T extends KubeObject>(
  what: string,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<readonly WatchEvent<T>[], void, undefined> {
  const splitter = new LineSplitter(maxEventBytes);
  for await (const chunk of body) yield splitter.push(chunk).map((line) => eventOf<T>(what, line));
}

function eventOf<T extends KubeObject>(what: string, line: string): WatchEvent<T> {
  const event = parse(line) as { readonly type?: unknown; readonly object?: Partial<KubeObject> } | null;
  if (event?.type === 'ERROR') throw statusError(what, event.object);
  const version = event?.object?.metadata?.resourceVersion;
  if (!types.has(event?.type) || typeof version !== 'string') {
    throw kubeErrors.error(
      'kube_answer_invalid',
      `${what}: expected an event of a watch, got something else`,
    );
  }
  return event as WatchEvent<T>;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

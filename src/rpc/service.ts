import type { Call } from './call.ts';
import { decode, encode, frameOnce } from './method.ts';
import type { MessageType, Method } from './method.ts';
import { BoundedStreamWriter } from './stream-writer.ts';
import type { ByteSink, StreamWriter } from './stream-writer.ts';

/** One gRPC service, ready to be served. */
export interface Service {
  /** Full name, `package.Service`. */
  readonly name: string;
  readonly methods: readonly ServedMethod[];
}

export type ServedMethod =
  | {
      readonly kind: 'unary';
      readonly path: string;
      handle(request: Buffer, call: Call): Promise<Buffer>;
    }
  | {
      readonly kind: 'server_stream';
      readonly path: string;
      handle(request: Buffer, call: Call, sink: ByteSink): Promise<void>;
    }
  | {
      readonly kind: 'bidi_stream';
      readonly path: string;
      handle(requests: AsyncIterable<Buffer>, call: Call, sink: ByteSink): Promise<void>;
    };

/** One request, one answer. A rejection becomes the call's status (status.ts). */
export function unaryMethod<Request, Response>(
  method: Method<Request, Response>,
  handler: (request: Request, call: Call) => Promise<Response>,
): ServedMethod {
  return {
    kind: 'unary',
    path: method.path,
    handle: async (request, call) =>
      encode(method.response, await handler(decode(method.request, request), call)),
  };
}

/**
 * One request, many answers. The stream ends when the handler's promise settles: with OK after all that was written,
 * or with the status of its rejection. A handler that pushes changes therefore waits for `out.signal`, which also a reader
 * that takes nothing aborts.
 */
export function serverStreamMethod<Request, Response extends object>(
  method: Method<Request, Response>,
  handler: (request: Request, call: Call, out: StreamWriter<Response>) => Promise<void>,
): ServedMethod {
  const write = writing(method.response);
  return {
    kind: 'server_stream',
    path: method.path,
    handle: (request, call, sink) =>
      write(call, sink, (out) => handler(decode(method.request, request), call, out)),
  };
}

/** Many requests, many answers; ends as `serverStreamMethod` does. */
export function bidiStreamMethod<Request, Response extends object>(
  method: Method<Request, Response>,
  handler: (requests: AsyncIterable<Request>, call: Call, out: StreamWriter<Response>) => Promise<void>,
): ServedMethod {
  const write = writing(method.response);
  return {
    kind: 'bidi_stream',
    path: method.path,
    handle: (requests, call, sink) =>
      write(call, sink, (out) => handler(decodeAll(method, requests), call, out)),
  };
}

/** Runs the handlers of one method, each with a writer of its own; messages are framed once for all of them. */
function writing<Response extends object>(
  type: MessageType<Response>,
): (call: Call, sink: ByteSink, run: (out: StreamWriter<Response>) => Promise<void>) => Promise<void> {
  const frame = frameOnce(type);
  return async ({ signal }, sink, run) => {
    const out = new BoundedStreamWriter({ sink, signal, frame });
    await run(out);
    out.end();
    await out.ended;
  };
}

async function* decodeAll<Request>(
  method: Method<Request, unknown>,
  requests: AsyncIterable<Buffer>,
): AsyncGenerator<Request, void, undefined> {
  for await (const request of requests) yield decode(method.request, request);
}

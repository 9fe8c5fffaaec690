import type { ServerHttp2Stream } from 'node:http2';

import { Metadata } from '@grpc/grpc-js';
import type {
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';

import { errorMessage, isAppError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Call } from './call.ts';
import type { InterceptedCall } from './call-observer.ts';
import { CallOrigin } from './call-origin.ts';
import { Caller } from './caller.ts';
import type { CancellableCall } from './caller.ts';
import { rpcErrors } from './errors.ts';
import type { ServedMethod, Service } from './service.ts';
import { toStatus } from './status.ts';
import type { SentStatus } from './status.ts';
import type { ByteSink } from './stream-writer.ts';

/** What grpc-js's three kinds of calls have in common. */
interface AnyCall extends CancellableCall {
  getAuthContext(): object;
  getDeadline(): Date | number;
}

interface StreamCall extends AnyCall {
  readonly destroyed: boolean;
  sendMetadata(headers: Metadata): void;
  end(): unknown;
  emit(event: 'error', status: SentStatus): unknown;
}

/** Runs the handlers of our services inside a grpc-js server, and knows the calls that are open. */
export class ServedCalls {
  readonly #log: Log;
  readonly #streams = new Set<AbortController>();
  /** Calls whose handler has not begun, because their request has not ended. */
  readonly incomplete = new Set<InterceptedCall>();

  constructor(log: Log) {
    this.#log = log;
  }

  register(server: Server, service: Service): void {
    for (const method of service.methods) this.#register(server, method);
  }

  /** Ends with UNAVAILABLE what would not end by itself, streams and calls that ask nothing yet; unary calls may finish. */
  endStreams(): void {
    const reason = rpcErrors.error('server_stopping', 'this server is stopping; open the stream again');
    for (const stream of this.#streams) stream.abort(reason);
    for (const call of this.incomplete) call.sendStatus(toStatus(reason));
  }

  #register(server: Server, method: ServedMethod): void {
    switch (method.kind) {
      case 'unary':
        server.register(
          method.path,
          (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
            void this.#unary(method, call, answer),
          same,
          same,
          'unary',
        );
        return;
      case 'server_stream':
        server.register(
          method.path,
          (call: ServerWritableStream<Buffer, Buffer>) =>
            void this.#stream(method.path, call, (context, sink) =>
              method.handle(call.request, context, sink),
            ),
          same,
          same,
          'serverStream',
        );
        return;
      case 'bidi_stream':
        server.register(
          method.path,
          (call: ServerDuplexStream<Buffer, Buffer>) =>
            void this.#stream(method.path, call, (context, sink) =>
              // Who stops reading has not ended: a call that is destroyed could not be given its status any more.
              method.handle(call.iterator({ destroyOnReturn: false }), context, sink),
            ),
          same,
          same,
          'bidi',
        );
    }
  }

  async #unary(
    method: Extract<ServedMethod, { kind: 'unary' }>,
    call: ServerUnaryCall<Buffer, Buffer>,
    answer: sendUnaryData<Buffer>,
  ): Promise<void> {
    using caller = new Caller(call);
    try {
      answer(null, await method.handle(call.request, contextOf(call, caller.signal)));
    } catch (error) {
      this.#report(method.path, error);
      answer(toStatus(error));
    }
  }

  async #stream(
    path: string,
    call: StreamCall,
    handle: (context: Call, sink: ByteSink) => Promise<void>,
  ): Promise<void> {
    using caller = new Caller(call);
    const { signal } = caller;
    const sink = new CallSink(call);
    this.#streams.add(caller);
    try {
      await handle(contextOf(call, signal), sink);
      sink.end(signal.reason);
    } catch (error) {
      if (!signal.aborted) this.#report(path, error);
      sink.end(signal.aborted ? signal.reason : error);
    } finally {
      this.#streams.delete(caller);
    }
  }

  /** The caller learns nothing of a fault of ours, so it must be told here. */
  #report(path: string, error: unknown): void {
    if (isAppError(error)) return;
    const stack = Error.isError(error) ? error.stack : undefined;
    this.#log.error({ path, error: errorMessage(error), stack }, 'call failed unexpectedly');
  }
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

function contextOf(call: AnyCall, signal: AbortSignal): Call {
  const { peerAddress, peer } = originOf(call).connection;
  const deadline = new Date(call.getDeadline());
  return { peerAddress, peer, signal, ...(Number.isNaN(deadline.getTime()) ? {} : { deadline }) };
}

function originOf(call: AnyCall): CallOrigin {
  const origin = call.getAuthContext();
  if (origin instanceof CallOrigin) return origin;
  throw new TypeError('expected every call to come on a connection of this server');
}

/** Writes past grpc-js: what is written in one turn leaves as one piece. The first end counts. */
class CallSink implements ByteSink {
  readonly #call: StreamCall;
  readonly #stream: ServerHttp2Stream;
  #ended = false;

  constructor(call: StreamCall) {
    this.#call = call;
    this.#stream = originOf(call).stream;
  }

  write(frame: Buffer, sent: () => void): void {
    const stream = this.#stream;
    if (this.#ended || !stream.writable) return;
    if (!stream.headersSent) this.#call.sendMetadata(new Metadata());
    if (stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(uncork, stream);
    }
    stream.write(frame, sent);
  }

  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#call.destroyed) return;
    if (error === undefined) this.#call.end();
    // grpc-js takes the status of a stream from its error event.
    else this.#call.emit('error', toStatus(error));
  }
}

function uncork(stream: ServerHttp2Stream): void {
  stream.uncork();
}

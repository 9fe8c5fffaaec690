import type { ServerHttp2Stream } from 'node:http2';

import { ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { ServerInterceptor } from '@grpc/grpc-js';
import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';

import { CallOrigin } from './call-origin.ts';
import type { Connections } from './connection.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { statusLabel } from './status.ts';

/**
 * Counts each call once, however it ends, and ties it to its connection. `incomplete` holds the calls that no handler knows
 * yet, because their request has not ended.
 */
export function callObserver(
  connections: Connections,
  metrics: ServerMetrics,
  incomplete: Set<InterceptedCall>,
): ServerInterceptor {
  return (method, call) => {
    const labels = {
      ...nameLabels(method.path),
      grpc_type: callType(method.requestStream, method.responseStream),
    };
    let ended = false;
    const end = (code: status): void => {
      if (ended) return;
      ended = true;
      metrics.handled.inc({ ...labels, grpc_code: statusLabel(code) });
    };
    metrics.started.inc(labels);
    const origin = originOf(call, connections);
    // Statuses that grpc-js gives by itself (deadline, message too large) pass only here, not through interceptors.
    const send = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      // It would take a second one, while the first waits for the messages before it, for the end of the call.
      if (ended) return;
      // None reaches a client that has reset the call, of which grpc-js is told only now.
      end(origin?.stream.closed === true ? status.CANCELLED : sent.code);
      send(sent);
    };
    // The handler of a stream of requests begins with the call.
    if (!method.requestStream) incomplete.add(call);
    const onReceiveHalfClose = (begin: () => void): void => {
      incomplete.delete(call);
      begin();
    };
    // Comes after every answer, too.
    const onCancel = (): void => {
      incomplete.delete(call);
      end(status.CANCELLED);
      if (origin !== undefined) letGo(origin.stream);
    };
    return new ConnectedCall(origin, call, { start: (next) => next({ onReceiveHalfClose, onCancel }) });
  };
}

class ConnectedCall extends ServerInterceptingCall {
  readonly #origin: CallOrigin | undefined;

  constructor(origin: CallOrigin | undefined, ...rest: ConstructorParameters<typeof ServerInterceptingCall>) {
    super(...rest);
    this.#origin = origin;
  }

  override getAuthContext(): AuthContext {
    return this.#origin ?? {};
  }
}

/**
 * Whoever was answered need not end its request, which would keep the stream and its connection open: RFC 9113, 8.1, has
 * it told so by RST_STREAM with NO_ERROR. The trailers must have been handed to HTTP/2 before, which then keeps the order.
 */
function letGo(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) setImmediate(() => stream.close());
}

export type InterceptedCall = Parameters<ServerInterceptor>[1];

/** grpc-js keeps the HTTP/2 stream of a call to itself. It is not documented, and the tests hold it. */
function originOf(call: InterceptedCall, connections: Connections): CallOrigin | undefined {
  const { stream } = call as InterceptedCall & { readonly stream?: ServerHttp2Stream };
  const connection = connections.find(call.getConnectionInfo());
  return connection && stream && new CallOrigin(connection, stream);
}

/** `/package.Service/Method` */
function nameLabels(path: string): { grpc_service: string; grpc_method: string } {
  const [, service = '', method = ''] = path.split('/');
  return { grpc_service: service, grpc_method: method };
}

function callType(requestStream: boolean, responseStream: boolean): string {
  if (requestStream) return responseStream ? 'bidi_stream' : 'client_stream';
  return responseStream ? 'server_stream' : 'unary';
}

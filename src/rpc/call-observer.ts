import { ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { ServerInterceptor } from '@grpc/grpc-js';
import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';

import type { Connection, Connections } from './connection.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { statusLabel } from './status.ts';

/** Counts each call once, however it ends, and ties it to its connection. */
export function callObserver(connections: Connections, metrics: ServerMetrics): ServerInterceptor {
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
    // Statuses that grpc-js gives by itself (deadline, message too large) pass only here, not through interceptors.
    const send = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      end(sent.code);
      send(sent);
    };
    return new ConnectedCall(connections.find(call.getConnectionInfo()), call, {
      start: (next) => next({ onCancel: () => end(status.CANCELLED) }),
    });
  };
}

class ConnectedCall extends ServerInterceptingCall {
  readonly #connection: Connection | undefined;

  constructor(
    connection: Connection | undefined,
    ...rest: ConstructorParameters<typeof ServerInterceptingCall>
  ) {
    super(...rest);
    this.#connection = connection;
  }

  override getAuthContext(): AuthContext {
    return this.#connection ?? {};
  }
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

import type { ServerHttp2Stream } from 'node:http2';

import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';

import type { Connection } from './connection.ts';

/** Where a call came from. It is the call's `AuthContext`, by which a handler in grpc-js finds its way back to it. */
export class CallOrigin implements AuthContext {
  readonly transportSecurityType = 'ssl';
  readonly connection: Connection;
  /** Streams write to it without going through grpc-js, which would copy each message and send it by itself. */
  readonly stream: ServerHttp2Stream;

  constructor(connection: Connection, stream: ServerHttp2Stream) {
    this.connection = connection;
    this.stream = stream;
  }
}

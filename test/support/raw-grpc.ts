import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as tls from 'node:tls';

import type { Credentials } from '../../src/pki/credentials.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';

/** What a gRPC call gave, read without any gRPC library. */
export interface RawAnswer {
  readonly status: number;
  readonly message: string;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly messages: readonly Buffer[];
}

export interface RawClient extends Disposable {
  readonly session: http2.ClientHttp2Session;
  readonly socket: tls.TLSSocket;
  call(path: string, request: Buffer): Promise<RawAnswer>;
  open(path: string, request: Buffer): RawStream;
}

/** A call for a stream of answers, held open. */
export interface RawStream {
  /** The answers so far. */
  readonly messages: readonly Buffer[];
  /** What ended it; undefined while it is open. */
  readonly status: number | undefined;
}

/** TLS options of a client that shows this certificate. */
export function tlsIdentity({ chain, key }: Credentials): { cert: string; key: string } {
  return { cert: chain.map(({ pem }) => pem).join(''), key: encodePrivateKey(key) };
}

/**
 * Connects as an outside program would that knows nothing but the wire: node:tls, node:http2, and no ALPN unless the
 * options name one.
 */
export async function connectRaw(address: SocketAddress, options: tls.ConnectionOptions): Promise<RawClient> {
  const socket = tls.connect({ ...address, ...options });
  await once(socket, 'secureConnect');
  const session = http2.connect('https://kedge.test', {
    createConnection: () => socket,
    // Whether headers are too large is for the server to judge.
    maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
  });
  session.on('error', () => undefined);
  return {
    session,
    socket,
    call: (path, request) => call(session, path, request),
    open: (path, request) => open(session, path, request),
    [Symbol.dispose]: () => session.destroy(),
  };
}

function ask(session: http2.ClientHttp2Session, path: string, request: Buffer): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(frame(request));
  return stream;
}

function open(session: http2.ClientHttp2Session, path: string, request: Buffer): RawStream {
  const stream = ask(session, path, request);
  let bytes = Buffer.alloc(0);
  let status: number | undefined;
  const ended = (headers: http2.IncomingHttpHeaders) => {
    if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
  };
  stream.on('response', ended);
  stream.on('trailers', ended);
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  return {
    get messages() {
      return unframe(bytes);
    },
    get status() {
      return status;
    },
  };
}

async function call(session: http2.ClientHttp2Session, path: string, request: Buffer): Promise<RawAnswer> {
  const stream = ask(session, path, request);
  let trailers: http2.IncomingHttpHeaders = {};
  // An answer without a message carries its status in the headers.
  stream.on('response', (headers) => (trailers = { ...trailers, ...headers }));
  stream.on('trailers', (headers) => (trailers = { ...trailers, ...headers }));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return {
    status: Number(trailers['grpc-status']),
    message: decodeURIComponent(String(trailers['grpc-message'] ?? '')),
    trailers,
    messages: unframe(Buffer.concat(chunks)),
  };
}

/** The five bytes before each message: not compressed, and its length. */
export function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** The messages that are there in full. */
function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

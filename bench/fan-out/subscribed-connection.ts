import type { TLSSocket } from 'node:tls';

/** Frame types and flags of RFC 9113, section 6. */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;

const frameHeaderBytes = 9;
/** So much may be sent to it that it never has to give permission for more. */
const streamWindow = 2 ** 26;
const connectionWindowMore = 2 ** 30;

const initialWindowSize = Buffer.from([0, 4, 0, 0, 0, 0]);
initialWindowSize.writeUInt32BE(streamWindow, 2);
const opening = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, initialWindowSize),
  frame(WINDOW_UPDATE, 0, 0, uint32(connectionWindowMore)),
]);

/** One stream that is followed. */
export interface Follower {
  /** What has come of a message that is not whole yet. */
  held: Buffer;
}

export interface SubscriptionOptions {
  readonly path: string;
  /** The gRPC request message, framed. */
  readonly request: Buffer;
  readonly streams: number;
  readonly onMessage: (follower: Follower, message: Buffer) => void;
}

/**
 * A connection with some streams of one gRPC method, as little HTTP/2 as that takes: thousands of them have to cost
 * less than what is measured. Throws on whatever a server should not send on streams that stay open.
 */
export class SubscribedConnection {
  readonly followers: readonly Follower[];
  readonly #socket: TLSSocket;
  readonly #onMessage: SubscriptionOptions['onMessage'];
  #held: Buffer = Buffer.alloc(0);

  /** The socket is after its handshake. */
  constructor(socket: TLSSocket, { path, request, streams, onMessage }: SubscriptionOptions) {
    this.#socket = socket;
    this.#onMessage = onMessage;
    this.followers = Array.from({ length: streams }, () => ({ held: Buffer.alloc(0) }));
    const headers = headerBlock({
      ':method': 'POST',
      ':scheme': 'https',
      ':path': path,
      ':authority': 'bench',
    });
    const calls = this.followers.flatMap((_, at) => [
      frame(HEADERS, END_HEADERS, streamId(at), headers),
      frame(DATA, END_STREAM, streamId(at), request),
    ]);
    socket.write(Buffer.concat([opening, ...calls]));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => unexpected('the end of a connection'));
  }

  #read(chunk: Buffer): void {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (bytes.length >= frameHeaderBytes) {
      const end = frameHeaderBytes + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#take(
        bytes.readUInt8(3),
        bytes.readUInt8(4),
        bytes.readUInt32BE(5),
        bytes.subarray(frameHeaderBytes, end),
      );
      bytes = bytes.subarray(end);
    }
    this.#held = bytes;
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === DATA) this.#takeData(flags, stream, payload);
    else if (type === SETTINGS && (flags & ACK) === 0) this.#socket.write(frame(SETTINGS, ACK, 0));
    else if (type === PING && (flags & ACK) === 0) this.#socket.write(frame(PING, ACK, 0, payload));
    else if (type === RST_STREAM || type === GOAWAY || (type === HEADERS && (flags & END_STREAM) !== 0))
      unexpected(`a frame of type ${type}`);
  }

  #takeData(flags: number, stream: number, payload: Buffer): void {
    const follower = this.followers[(stream - 1) / 2];
    if (follower === undefined || (flags & (PADDED | END_STREAM)) !== 0) return unexpected('such data');
    let bytes = follower.held.length === 0 ? payload : Buffer.concat([follower.held, payload]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      this.#onMessage(follower, bytes.subarray(5, end));
      bytes = bytes.subarray(end);
    }
    follower.held = bytes;
  }
}

/** Clients number their streams 1, 3, 5 and so on. */
function streamId(at: number): number {
  return 2 * at + 1;
}

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** Each header as a literal that is not remembered (RFC 7541, section 6.2.2), with those of every gRPC call. */
function headerBlock(pseudo: Readonly<Record<string, string>>): Buffer {
  const headers = { ...pseudo, 'content-type': 'application/grpc', te: 'trailers' };
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function unexpected(got: string): never {
  throw new Error(`expected messages on streams that stay open, got ${got}`);
}

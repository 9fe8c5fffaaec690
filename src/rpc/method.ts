import { errorMessage } from '../runtime/errors.ts';
import { rpcErrors } from './errors.ts';

/** How one message type is written and read; what ts-proto generates fits. */
export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** One method of a service as both sides know it. */
export interface Method<Request, Response> {
  /** The HTTP/2 path, `/package.Service/Method`. */
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

interface MethodDefinition<Request, Response> {
  readonly name: string;
  readonly requestType: MessageType<Request>;
  readonly responseType: MessageType<Response>;
}

/** A method from the generated definition of its service. */
export function method<Request, Response>(
  service: { readonly fullName: string },
  definition: MethodDefinition<Request, Response>,
): Method<Request, Response> {
  return {
    path: `/${service.fullName}/${definition.name}`,
    request: definition.requestType,
    response: definition.responseType,
  };
}

export function encode<T>(type: MessageType<T>, message: T): Buffer {
  const bytes = type.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws `message_malformed`, which refuses a request, or the code that an answer is given. */
export function decode<T>(
  type: MessageType<T>,
  bytes: Uint8Array,
  code: 'message_malformed' | 'answer_malformed' = 'message_malformed',
): T {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw rpcErrors.error(
      code,
      `expected a protobuf message, got ${bytes.byteLength} bytes that are none: ${errorMessage(cause)}`,
      { cause },
    );
  }
}

/** A message as it stands in a stream of gRPC: a flag that it is not compressed, its length, and its bytes. */
function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafeSlow(5 + message.byteLength);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, 5);
  return framed;
}

/** Frames a message that goes to many streams only once, for as long as the object itself is alive. */
export function frameOnce<T extends object>(type: MessageType<T>): (message: T) => Buffer {
  const known = new WeakMap<T, Buffer>();
  return (message) => {
    const before = known.get(message);
    if (before !== undefined) return before;
    const bytes = frame(type.encode(message).finish());
    known.set(message, bytes);
    return bytes;
  };
}

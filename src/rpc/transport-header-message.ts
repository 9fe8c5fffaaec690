import { Header, SessionProtocol } from './gen/transport/l5d/io/header.ts';
import { decode, encode } from './method.ts';

/** The protobuf part of the transport header (contract 3.5); the framing around it is the proxy's. */
export { Header, SessionProtocol };

export function encodeHeader(header: Header): Buffer {
  return encode(Header, header);
}

/** Throws `message_malformed`. Whether port and name make sense is for the caller to judge. */
export function decodeHeader(bytes: Uint8Array): Header {
  return decode(Header, bytes);
}

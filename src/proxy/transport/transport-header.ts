import { decodeHeader, encodeHeader } from '../../rpc/transport-header-message.ts';
import type { Header } from '../../rpc/transport-header-message.ts';
import { isDnsName } from '../../runtime/dns-names.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { proxyErrors } from '../errors.ts';
import type { Taken } from './engine.ts';

/** ALPN token of connections that begin with a transport header (contract 3.4). */
export const transportProtocol = 'transport.l5d.io/v1';

/** What a client sends ahead of its bytes on a direct connection (contract 3.5). */
export interface TransportHeader {
  /** Port of the application, 1 to 65535. */
  readonly port: number;
  /** DNS name of a target behind this proxy, which is then a gateway. */
  readonly name?: string;
  /** What the client knows the bytes to be. */
  readonly sessionProtocol?: SessionProtocol;
}

export type SessionProtocol = 'http/1' | 'http/2';

const preface = Buffer.from(`${transportProtocol}\r\n\r\n`, 'latin1');
const messageAt = preface.length + 4;
const maxMessageBytes = 64 * 1024;

/** No connection has to be read further than this for its header. */
export const maxTransportHeaderBytes = messageAt + maxMessageBytes;

export function encodeTransportHeader({ port, name = '', sessionProtocol }: TransportHeader): Buffer {
  const message = encodeHeader({
    port,
    name,
    sessionProtocol: sessionProtocol && { kind: { $case: kinds[sessionProtocol], value: {} } },
  });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([preface, length, message]);
}

const kinds = { 'http/1': 'http1', 'http/2': 'http2' } as const;

/**
 * Takes a header off the front of a connection, and leaves what comes behind it. Throws `header_missing` where the
 * first bytes are no header, `header_malformed` where it holds what it must not.
 */
export function takeTransportHeader(bytes: Buffer, last: boolean): Taken<TransportHeader> | undefined {
  const known = Math.min(bytes.length, preface.length);
  if (!bytes.subarray(0, known).equals(preface.subarray(0, known))) {
    throw proxyErrors.error('header_missing', `expected ${transportProtocol} at the start, got other bytes`);
  }
  const messageBytes = bytes.length < messageAt ? 0 : bytes.readUInt32BE(preface.length);
  if (messageBytes > maxMessageBytes) {
    throw malformed(`expected at most ${maxMessageBytes} bytes of header, got ${messageBytes}`);
  }
  const end = messageAt + messageBytes;
  if (bytes.length >= end) return { value: readMessage(bytes.subarray(messageAt, end)), consumed: end };
  if (last)
    throw proxyErrors.error(
      'header_missing',
      `expected a whole header, got an end after ${bytes.length} bytes`,
    );
  return undefined;
}

function readMessage(bytes: Buffer): TransportHeader {
  const { port, name, sessionProtocol } = decodeMessage(bytes);
  if (port < 1 || port > 65535) throw malformed(`expected a port from 1 to 65535, got ${port}`);
  if (name !== '' && !isDnsName(name)) throw malformed('expected a DNS name or none, got something else');
  const kind = sessionProtocol?.kind?.$case;
  return {
    port,
    ...(name === '' ? {} : { name }),
    ...(kind === undefined ? {} : { sessionProtocol: kind === 'http1' ? 'http/1' : 'http/2' }),
  };
}

function decodeMessage(bytes: Buffer): Header {
  try {
    return decodeHeader(bytes);
  } catch (cause) {
    throw malformed(`expected a protobuf message, got bytes that are none: ${errorMessage(cause)}`, cause);
  }
}

function malformed(message: string, cause?: unknown): Error {
  return proxyErrors.error('header_malformed', message, { cause });
}

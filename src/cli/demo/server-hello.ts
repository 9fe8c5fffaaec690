import { errorCode } from '../../runtime/errors.ts';

/** What a ServerHello settles (RFC 8446, 4.1.3); names as IANA registers them. */
export interface ServerHello {
  version: string;
  cipher: string;
  group: string;
}

const versions: Record<number, string> = { 0x0304: 'TLS 1.3', 0x0303: 'TLS 1.2' };
const ciphers: Record<number, string> = {
  0x1301: 'TLS_AES_128_GCM_SHA256',
  0x1302: 'TLS_AES_256_GCM_SHA384',
  0x1303: 'TLS_CHACHA20_POLY1305_SHA256',
};
const groups: Record<number, string> = {
  0x11ec: 'X25519MLKEM768',
  0x001d: 'X25519',
  0x0017: 'secp256r1',
  0x0018: 'secp384r1',
};

const recordHandshake = 22;
const messageServerHello = 2;
const extensionSupportedVersions = 43;
const extensionKeyShare = 51;

const named = (names: Record<number, string>, number: number): string =>
  names[number] ?? `0x${number.toString(16).padStart(4, '0')}`;

/**
 * Reads the ServerHello at the head of the bytes a server sent.
 *
 * Returns undefined while the record is incomplete or if the bytes are not a ServerHello.
 */
export function readServerHello(bytes: Buffer): ServerHello | undefined {
  if (bytes.length < 5 || bytes[0] !== recordHandshake) return undefined;
  const record = bytes.subarray(5, 5 + bytes.readUInt16BE(3));
  if (bytes.length < 5 + bytes.readUInt16BE(3) || record[0] !== messageServerHello) return undefined;
  try {
    return readMessage(record);
  } catch (error) {
    // A length inside that leads beyond the record: not a ServerHello, whatever it began with.
    if (errorCode(error) === 'ERR_OUT_OF_RANGE' || errorCode(error) === 'ERR_BUFFER_OUT_OF_BOUNDS')
      return undefined;
    throw error;
  }
}

function readMessage(message: Buffer): ServerHello {
  // Handshake header 4, legacy version 2, random 32, then the echoed session id.
  let at = 4 + 2 + 32;
  at += 1 + message.readUInt8(at);
  const cipher = message.readUInt16BE(at);
  at += 2 + 1;
  const end = at + 2 + message.readUInt16BE(at);
  at += 2;
  let version = message.readUInt16BE(4);
  let group = 0;
  while (at + 4 <= end) {
    const type = message.readUInt16BE(at);
    if (type === extensionSupportedVersions) version = message.readUInt16BE(at + 4);
    if (type === extensionKeyShare) group = message.readUInt16BE(at + 4);
    at += 4 + message.readUInt16BE(at + 2);
  }
  return { version: named(versions, version), cipher: named(ciphers, cipher), group: named(groups, group) };
}

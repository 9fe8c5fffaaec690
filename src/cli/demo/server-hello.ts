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
  const end = 5 + bytes.readUInt16BE(3);
  if (bytes.length < end || bytes[5] !== messageServerHello) return undefined;
  // Record header 5, handshake header 4, legacy version 2, random 32, then the echoed session id.
  let at = 5 + 4 + 2 + 32;
  at += 1 + bytes.readUInt8(at);
  const cipher = bytes.readUInt16BE(at);
  at += 2 + 1;
  const extensionsEnd = at + 2 + bytes.readUInt16BE(at);
  at += 2;
  let version = bytes.readUInt16BE(9);
  let group = 0;
  while (at + 4 <= Math.min(extensionsEnd, end)) {
    const type = bytes.readUInt16BE(at);
    if (type === extensionSupportedVersions) version = bytes.readUInt16BE(at + 4);
    if (type === extensionKeyShare) group = bytes.readUInt16BE(at + 4);
    at += 4 + bytes.readUInt16BE(at + 2);
  }
  return { version: named(versions, version), cipher: named(ciphers, cipher), group: named(groups, group) };
}

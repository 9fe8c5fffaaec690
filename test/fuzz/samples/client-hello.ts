// ClientHellos by hand (RFC 8446 4.1.2), so that every part of one can be wrong.

export const u16 = (value: number): Buffer => Buffer.of((value >> 8) & 0xff, value & 0xff);

export function vector16(...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(body.length), body]);
}

export function helloExtension(type: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([u16(type), vector16(...parts)]);
}

/** The server_name extension (RFC 6066 3). */
export function hostName(name: string): Buffer {
  return helloExtension(0, vector16(Buffer.of(0), vector16(Buffer.from(name, 'latin1'))));
}

export interface HelloParts {
  readonly sessionId?: Uint8Array;
  readonly cipherSuites?: number;
  readonly extensions: readonly Uint8Array[];
}

/** A ClientHello in one record. */
export function clientHello({
  sessionId = Buffer.alloc(0),
  cipherSuites = 1,
  extensions,
}: HelloParts): Buffer {
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    Buffer.of(sessionId.length),
    sessionId,
    vector16(...Array.from({ length: cipherSuites }, (_, i) => u16(0x1301 + i))),
    Buffer.of(1, 0),
    vector16(...extensions),
  ]);
  const message = Buffer.concat([Buffer.of(1, 0), u16(body.length), body]);
  return Buffer.concat([Buffer.of(22, 3, 1), vector16(message)]);
}

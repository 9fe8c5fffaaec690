import type { Take } from './engine.ts';

/** What the first bytes of a client are (contract 3.2). */
export type Detected =
  /** A TLS ClientHello that names a server, in lower case. */
  | { readonly kind: 'tls'; readonly serverName: string }
  /** Anything else, a ClientHello without a name included: nothing that mesh TLS could be. */
  | { readonly kind: 'other' };

/** The contract reads 8192 bytes; a hybrid key share adds 1216 to what an honest hello needs. */
export const maxClientHelloBytes = 8192 + 1216;

const other: Detected = { kind: 'other' };
const recordHeaderBytes = 5;

/** Looks for a ClientHello and consumes nothing. Decides on the first byte that cannot belong to one. */
export const detectTls: Take<Detected> = (bytes, last) => {
  const detected = detect(bytes) ?? (last ? other : undefined);
  return detected && { value: detected, consumed: 0 };
};

function detect(bytes: Buffer): Detected | undefined {
  if (!mayBeHello(bytes)) return other;
  if (bytes.length < recordHeaderBytes) return undefined;
  const end = recordHeaderBytes + bytes.readUInt16BE(3);
  if (end > maxClientHelloBytes) return other;
  if (bytes.length < end) return undefined;
  const serverName = readServerName(new Cursor(bytes.subarray(recordHeaderBytes, end)));
  return serverName === undefined ? other : { kind: 'tls', serverName };
}

/** Each byte of the start, in order: what it may be. Undefined stands for any. */
const start: readonly (readonly number[] | undefined)[] = [
  [22], // a handshake record
  [3],
  [1, 3], // whose version is that of TLS 1.0 or 1.2, whatever is spoken later (RFC 8446 5.1)
  undefined,
  undefined,
  [1], // a ClientHello
  [0], // shorter than 64 KiB
  undefined,
  undefined,
  [3],
  [3], // legacy_version: TLS 1.2 (RFC 8446 4.1.2)
];

function mayBeHello(bytes: Buffer): boolean {
  const known = Math.min(bytes.length, start.length);
  for (let i = 0; i < known; i++) {
    const allowed = start[i];
    if (allowed !== undefined && !allowed.includes(bytes[i] ?? -1)) return false;
  }
  return true;
}

const serverNameExtension = 0;
const hostNameType = 0;

/** The host name of the server_name extension (RFC 6066 3). The hello must fill its record exactly. */
function readServerName(record: Cursor): string | undefined {
  record.skip(1);
  const hello = record.vector(3);
  if (!record.atEnd) return undefined;
  hello.skip(2 + 32); // legacy_version, random
  hello.vector(1); // legacy_session_id
  hello.vector(2); // cipher_suites
  hello.vector(1); // legacy_compression_methods
  const extensions = hello.vector(2);
  while (!extensions.atEnd) {
    const type = extensions.integer(2);
    const body = extensions.vector(2);
    if (type === serverNameExtension) return readHostName(body);
  }
  return undefined;
}

function readHostName(extension: Cursor): string | undefined {
  const names = extension.vector(2);
  while (!names.atEnd) {
    const type = names.integer(1);
    const name = names.vector(2).text();
    if (type === hostNameType) return /^[\w.-]{1,255}$/.test(name) ? name.toLowerCase() : undefined;
  }
  return undefined;
}

/** Reads forward through bytes that may lie about their lengths: past the end everything is empty. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  integer(size: number): number {
    const end = this.#at + size;
    const value = end <= this.#bytes.length ? this.#bytes.readUIntBE(this.#at, size) : 0;
    this.#at = end;
    return value;
  }

  /** The content of a vector whose length is given in `lengthSize` bytes in front of it. */
  vector(lengthSize: number): Cursor {
    const length = this.integer(lengthSize);
    const begin = this.#at;
    this.#at += length;
    const whole = this.#at <= this.#bytes.length;
    return new Cursor(whole ? this.#bytes.subarray(begin, this.#at) : Buffer.alloc(0));
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }
}

/**
 * Protobuf by field numbers alone, for tests that must not know our generated code: length-delimited fields written,
 * and the length-delimited and varint fields of a message read back.
 */
export function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export interface Field {
  number: number;
  value: bigint | Buffer;
}

export function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(next());
    if ((key & 7) === 0) {
      found.push({ number: key >> 3, value: next() });
    } else if ((key & 7) === 2) {
      const length = Number(next());
      found.push({ number: key >> 3, value: message.subarray(at, at + length) });
      at += length;
    } else {
      throw new Error(`unexpected wire type ${key & 7}`);
    }
  }
  return found;
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

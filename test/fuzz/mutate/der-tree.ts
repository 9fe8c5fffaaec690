/** One element of DER taken apart; `parts` where more elements are inside, also those that a string of bytes wraps. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
  readonly parts: readonly DerNode[] | undefined;
  /** How the length is written; `shortest` is the only right one, and `longer` takes one byte more than that. */
  readonly length: 'shortest' | 'longer' | 'longest' | 'indefinite' | 'less' | 'more';
}

const OCTET_STRING = 4;
const BIT_STRING = 3;

/** Elements one after the other, or undefined where the bytes are not that. Knows nothing of the parser under test. */
export function readNodes(bytes: Buffer): DerNode[] | undefined {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = readHeader(bytes, at);
    if (header === undefined) return undefined;
    const content = bytes.subarray(header.start, header.end);
    nodes.push({ tag: header.tag, content, parts: partsOf(header.tag, content), length: 'shortest' });
    at = header.end;
  }
  return nodes;
}

export function writeNodes(nodes: readonly DerNode[]): Buffer {
  return Buffer.concat(nodes.map(writeNode));
}

/** The node and all below it, in the order in which they are written. */
export function allNodes(nodes: readonly DerNode[]): DerNode[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.parts ?? [])]);
}

/** A constructed element or a SEQUENCE wrapped into a string: what certificates do with extensions and keys. */
function partsOf(tag: number, content: Buffer): DerNode[] | undefined {
  if ((tag & 0x20) !== 0) return readNodes(content);
  const inner = tag === BIT_STRING ? content.subarray(1) : content;
  if ((tag !== OCTET_STRING && tag !== BIT_STRING) || inner[0] !== 0x30) return undefined;
  return readNodes(inner);
}

function writeNode({ tag, content, parts, length }: DerNode): Buffer {
  const unused = tag === BIT_STRING && parts !== undefined ? [content.subarray(0, 1)] : [];
  const inside = parts === undefined ? content : Buffer.concat([...unused, writeNodes(parts)]);
  const size = inside.length + (length === 'less' ? -1 : length === 'more' ? 1 : 0);
  return Buffer.concat([Buffer.of(tag), lengthBytes(Math.max(size, 0), length), inside]);
}

function lengthBytes(size: number, form: DerNode['length']): Buffer {
  if (form === 'indefinite') return Buffer.of(0x80);
  if (form === 'longest') return Buffer.of(0x83, size >> 16, size >> 8, size);
  if (form === 'longer' && size < 0x80) return Buffer.of(0x81, size);
  if (form === 'longer' && size < 0x100) return Buffer.of(0x82, 0, size);
  if (form === 'longer') return lengthBytes(size, 'longest');
  if (size < 0x80) return Buffer.of(size);
  if (size < 0x100) return Buffer.of(0x81, size);
  return size < 0x10000 ? Buffer.of(0x82, size >> 8, size) : Buffer.of(0x83, size >> 16, size >> 8, size);
}

/** Strict on lengths (X.690 10.1), as far as three bytes of them go. */
function readHeader(bytes: Buffer, at: number): { tag: number; start: number; end: number } | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f || (tag & 0xdf) === 0) {
    return undefined;
  }
  const count = first < 0x80 ? 0 : first - 0x80;
  if (first === 0x80 || count > 3 || at + 2 + count > bytes.length) return undefined;
  const size = count === 0 ? first : bytes.readUIntBE(at + 2, count);
  const start = at + 2 + count;
  if (lengthBytes(size, 'shortest').length !== 1 + count || start + size > bytes.length) return undefined;
  return { tag, start, end: start + size };
}

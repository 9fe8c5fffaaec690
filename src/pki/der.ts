import { pkiErrors } from './errors.ts';

/** The tags this project meets (X.690 8.1.2), context-specific ones through `context`. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific element: `[n]`, constructed when it wraps others. */
export function context(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

/** No certificate, request or key is larger; a longer input is refused before it is walked. */
export const MAX_DER_BYTES = 64 * 1024;

/** Deeper nesting than any structure read here has. */
const MAX_DEPTH = 16;

/** One element of an input, of which it gives views when asked: most elements are only walked over. */
export class DerElement {
  readonly tag: number;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #contentStart: number;
  readonly #end: number;

  constructor(tag: number, bytes: Buffer, start: number, contentStart: number, end: number) {
    this.tag = tag;
    this.#bytes = bytes;
    this.#start = start;
    this.#contentStart = contentStart;
    this.#end = end;
  }

  /** What is inside. */
  get content(): Buffer {
    return this.#bytes.subarray(this.#contentStart, this.#end);
  }

  /** The whole encoding. */
  get tlv(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** A reader of the content, `depth` levels down. */
  reader(what: string, depth: number): DerReader {
    return new DerReader(this.#bytes, what, depth, this.#contentStart, this.#end);
  }
}

/**
 * Reads a run of DER elements from first to last. Every departure from DER (X.690 10 and 11) throws `der_malformed`:
 * lengths that are not minimal, the indefinite form, high tag numbers, contents cut short, elements left over.
 * `what` names the structure in messages.
 */
export class DerReader {
  readonly what: string;
  readonly #bytes: Buffer;
  readonly #depth: number;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, what: string, depth = 0, start = 0, end = bytes.length) {
    if (end - start > MAX_DER_BYTES) {
      throw pkiErrors.error(
        'der_malformed',
        `${what}: expected at most ${MAX_DER_BYTES} bytes, got ${end - start}`,
      );
    }
    if (depth > MAX_DEPTH)
      throw pkiErrors.error('der_malformed', `${what}: expected at most ${MAX_DEPTH} levels, got more`);
    this.#bytes = asBuffer(bytes);
    this.what = what;
    this.#depth = depth;
    this.#offset = start;
    this.#end = end;
  }

  /** True when every element has been read. */
  get done(): boolean {
    return this.#offset === this.#end;
  }

  /** Tag of the next element, `undefined` at the end. */
  get nextTag(): number | undefined {
    return this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
  }

  /** Reads the next element, whatever it is. */
  any(): DerElement {
    const start = this.#offset;
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) this.#fail('a tag number below 31', hex(tag));
    // Universal 0 marks the end of contents of indefinite length, which DER has not (X.690 8.1.5).
    if ((tag & 0xdf) === 0) this.#fail('a tag', `the reserved ${hex(tag)}`);
    const length = this.#length();
    const end = this.#offset + length;
    if (end > this.#end) {
      this.#fail(`${length} bytes of content`, `only ${this.#end - this.#offset}`);
    }
    const element = new DerElement(tag, this.#bytes, start, this.#offset, end);
    this.#offset = end;
    return element;
  }

  /** Reads the next element, which must have this tag. */
  element(tag: number, what: string): DerElement {
    if (this.nextTag !== tag) {
      this.#fail(
        `${what} (tag ${hex(tag)})`,
        this.nextTag === undefined ? 'nothing more' : `tag ${hex(this.nextTag)}`,
      );
    }
    return this.any();
  }

  /** Reads the next element when it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.any() : undefined;
  }

  /** Reads a constructed element (SEQUENCE unless told otherwise) and gives a reader of what is in it. */
  inside(what: string, tag: number = TAG.sequence): DerReader {
    return this.into(this.element(tag, what), what);
  }

  /** A reader of an element's content, one level deeper. */
  into(element: DerElement, what: string): DerReader {
    return element.reader(what, this.#depth + 1);
  }

  /** Refuses elements after the last one expected. */
  end(): void {
    if (!this.done) this.#fail('no more bytes', `${this.#end - this.#offset} left over`);
  }

  #byte(): number {
    const byte = this.nextTag;
    if (byte === undefined) this.#fail('another byte', 'the end');
    this.#offset += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) this.#fail('a definite length', 'the indefinite form');
    if (count > 3) this.#fail('a length of at most 3 bytes', `${count} bytes`);
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    const minimum = count === 1 ? 0x80 : 256 ** (count - 1);
    if (length < minimum) this.#fail('the shortest form of the length', `${count} bytes for ${length}`);
    return length;
  }

  #fail(expected: string, got: string): never {
    throw pkiErrors.error('der_malformed', `${this.what}: expected ${expected}, got ${got}`);
  }
}

/** Reads an input that is one SEQUENCE and nothing behind it. */
export function readSequence(der: Uint8Array, what: string): DerReader {
  const outer = new DerReader(der, what);
  const inner = outer.inside(what);
  outer.end();
  return inner;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

/** Stands in the place of bytes that are gone, whose memory would else be held for as long as the connection lasts. */
const nothing: Buffer = Buffer.alloc(0);

/** Bytes read from the front of a connection, growing piece by piece without being copied each time. */
export class FrontBuffer {
  #space = nothing;
  #length = 0;

  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (this.#length === 0) {
      this.#space = piece;
    } else {
      if (length > this.#space.length) this.#grow(length);
      piece.copy(this.#space, this.#length);
    }
    this.#length = length;
  }

  /** Drops bytes from the front. */
  consume(count: number): void {
    this.#length -= count;
    this.#space = this.#length === 0 ? nothing : this.#space.subarray(count, count + this.#length);
  }

  /** Gives all bytes away. */
  takeAll(): Buffer {
    const bytes = this.bytes;
    this.consume(this.#length);
    return bytes;
  }

  #grow(length: number): void {
    const space = Buffer.allocUnsafe(2 * length);
    this.bytes.copy(space);
    this.#space = space;
  }
}

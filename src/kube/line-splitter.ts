import { kubeErrors } from './errors.ts';

const newline = 0x0a;

/** Cuts a stream of bytes into lines, wherever the pieces of it end; splits no character. */
export class LineSplitter {
  readonly #maxBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that are complete now, without their ends and without empty ones.
   *
   * @throws AppError `kube_answer_too_large` where one is longer than it may be; the stream is of no use then.
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = this.#line(chunk.subarray(from, end));
      if (line !== '') lines.push(line);
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #line(end: Buffer): string {
    if (this.#pending.length === 0) {
      this.#check(end.length);
      return end.toString('utf8');
    }
    this.#keep(end);
    const line = Buffer.concat(this.#pending, this.#pendingBytes).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#check(this.#pendingBytes + part.length);
    this.#pending.push(part);
    this.#pendingBytes += part.length;
  }

  #check(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    const message = `expected an event of at most ${this.#maxBytes} bytes, got more`;
    throw kubeErrors.error('kube_answer_too_large', message);
  }
}

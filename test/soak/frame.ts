import { createHash, randomBytes } from 'node:crypto';

/** A checksum that does not match, an answer to another request, bytes nobody sent: what must never be seen. */
export class WrongBytesError extends Error {}

const lengthBytes = 4;
const digestBytes = 32;
const headBytes = lengthBytes + digestBytes;
const longestBody = 2 ** 21;

export const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** Length, SHA-256 and bytes of a body, as both sides send it. */
export function frame(body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(body.length);
  sha256(body).copy(head, lengthBytes);
  return Buffer.concat([head, body]);
}

/** Puts the bytes of one direction of one connection together into bodies again. */
export class FrameReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Bytes of a body that is not whole yet. */
  get pending(): number {
    return this.#bytes;
  }

  /** Takes what came and gives the bodies that are whole now; throws `WrongBytesError`. */
  take(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    const bodies: Buffer[] = [];
    for (let body = this.#next(); body !== undefined; body = this.#next()) bodies.push(body);
    return bodies;
  }

  #next(): Buffer | undefined {
    const length = this.#length();
    if (length === undefined || this.#bytes < headBytes + length) return undefined;
    const bytes = Buffer.concat(this.#parts);
    const body = bytes.subarray(headBytes, headBytes + length);
    const rest = bytes.subarray(headBytes + length);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    const [said, is] = [bytes.subarray(lengthBytes, headBytes), sha256(body)];
    if (!said.equals(is)) {
      throw new WrongBytesError(
        `expected ${length} bytes with SHA-256 ${said.toString('hex')}, got ${is.toString('hex')}`,
      );
    }
    return body;
  }

  #length(): number | undefined {
    if (this.#bytes < lengthBytes) return undefined;
    if ((this.#parts[0]?.length ?? 0) < lengthBytes) this.#parts = [Buffer.concat(this.#parts)];
    const length = this.#parts[0]?.readUInt32BE() ?? 0;
    if (length > longestBody)
      throw new WrongBytesError(`expected at most ${longestBody} bytes, got ${length}`);
    return length;
  }
}

/** What a client asks: when it wants its answer, and how many bytes of it. */
export interface Question {
  /** Only when the client has ended its half of the connection. */
  readonly afterEnd: boolean;
  readonly answerBytes: number;
}

const questionHeadBytes = 5;

/** The body of a question, with `bytes` random bytes behind it. */
export function writeQuestion({ afterEnd, answerBytes }: Question, bytes: number): Buffer {
  const head = Buffer.alloc(questionHeadBytes);
  head.writeUInt8(afterEnd ? 1 : 0);
  head.writeUInt32BE(answerBytes, 1);
  return Buffer.concat([head, randomBytes(bytes)]);
}

export function readQuestion(body: Buffer): Question {
  return { afterEnd: body.readUInt8() === 1, answerBytes: body.readUInt32BE(1) };
}

/** The body of an answer: who gives it (one letter), the digest of what was asked, and random bytes. */
export function writeAnswer(server: string, question: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(server.slice(0, 1)),
    sha256(question),
    randomBytes(readQuestion(question).answerBytes),
  ]);
}

/** Which server answered; throws `WrongBytesError` when this is no answer to that question. */
export function readAnswer(answer: Buffer, question: Buffer): string {
  const { answerBytes } = readQuestion(question);
  if (answer.length !== 1 + digestBytes + answerBytes) {
    throw new WrongBytesError(
      `expected an answer of ${1 + digestBytes + answerBytes} bytes, got ${answer.length}`,
    );
  }
  const heard = answer.subarray(1, 1 + digestBytes);
  if (!heard.equals(sha256(question))) {
    throw new WrongBytesError(
      `expected the answer to ${sha256(question).toString('hex')}, got one to ${heard.toString('hex')}`,
    );
  }
  return answer.toString('latin1', 0, 1);
}

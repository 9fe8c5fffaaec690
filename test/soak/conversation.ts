import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { frame, FrameReader, readAnswer, readQuestion, WrongBytesError, writeQuestion } from './frame.ts';

/** How long a connection may be silent before the request counts as failed. */
const patienceMs = 30_000;
const pieces = 20;

/** One connection of a client of the soak. */
export class Conversation {
  readonly #socket: net.Socket;
  readonly #reader = new FrameReader();
  readonly #closed: Promise<void>;
  #answer: PromiseWithResolvers<Buffer> | undefined;
  #problem: Error | undefined;

  constructor(port: number) {
    this.#socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.#socket.setTimeout(patienceMs, () =>
      this.#fail(new Error(`expected bytes within ${patienceMs / 1000} s, got none`)),
    );
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('error', (error) => this.#fail(error));
    this.#closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /**
   * Sends a question, in pieces over `overMs`, and ends our half where the answer is to come after that. Gives the name of the
   * server that answered; throws `WrongBytesError` or what broke.
   */
  async ask(question: Buffer, overMs = 0): Promise<string> {
    if (this.#problem) throw this.#problem;
    const waiting = Promise.withResolvers<Buffer>();
    this.#answer = waiting;
    // Looked at below; until then the connection may already have broken.
    waiting.promise.catch(() => undefined);
    await this.#send(frame(question), overMs);
    if (readQuestion(question).afterEnd) this.#socket.end();
    return readAnswer(await waiting.promise, question);
  }

  /** Ends our half and waits for the other side's end; throws when it is not an orderly one. */
  async close(): Promise<void> {
    this.#socket.end();
    await this.#closed;
    if (this.#problem) throw this.#problem;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #send(bytes: Buffer, overMs: number): Promise<void> {
    if (overMs === 0) {
      this.#socket.write(bytes);
      return;
    }
    const step = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length && this.#problem === undefined; at += step) {
      this.#socket.write(bytes.subarray(at, at + step));
      await sleep(overMs / pieces);
    }
  }

  #take(chunk: Buffer): void {
    try {
      for (const body of this.#reader.take(chunk)) {
        if (!this.#answer) throw new WrongBytesError(`expected silence, got ${body.length} bytes`);
        this.#answer.resolve(body);
        this.#answer = undefined;
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #ended(): void {
    if (this.#reader.pending > 0 || this.#answer)
      this.#fail(
        new Error(
          `expected a whole answer, got the end of the connection after ${this.#socket.bytesRead} bytes`,
        ),
      );
    else this.#socket.end();
  }

  #fail(error: Error): void {
    this.#problem ??= error;
    this.#answer?.reject(this.#problem);
    this.#answer = undefined;
    this.#socket.destroy();
  }
}

/** Whether a server answers there by now. */
export async function answers(port: number): Promise<boolean> {
  const connection = new Conversation(port);
  try {
    await connection.ask(writeQuestion({ afterEnd: false, answerBytes: 0 }, 0));
    await connection.close();
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}

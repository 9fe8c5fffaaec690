/** Reads a stream message by message, as slowly as a test wants. */
export class Reader<T> implements AsyncDisposable {
  readonly #stream: AsyncIterator<T, void>;
  readonly #controller = new AbortController();

  constructor(open: (signal: AbortSignal) => AsyncIterable<T>) {
    this.#stream = open(this.#controller.signal)[Symbol.asyncIterator]() as AsyncIterator<T, void>;
  }

  /** The next message; rejects with the error that ends the stream. */
  async next(): Promise<T> {
    const result = await this.#stream.next();
    if (result.done === true) throw new Error('expected another message, got the end of the stream');
    return result.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort(new Error('the test has seen enough'));
    await this.#stream.next().catch(() => undefined);
  }
}

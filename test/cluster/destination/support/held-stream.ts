/** A stream that a client holds open, doing what it is told; no server should end it. */
export class HeldStream<T> implements AsyncDisposable {
  /** How many messages it was sent. */
  messages = 0;
  /** What it was told last. */
  last: T | undefined;
  /** Why the stream has ended by itself, which no stream here should. */
  broken: unknown;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;

  constructor(open: (signal: AbortSignal) => AsyncIterable<T>, take: (message: T) => void = () => undefined) {
    this.#running = this.#follow(open, take);
  }

  async #follow(open: (signal: AbortSignal) => AsyncIterable<T>, take: (message: T) => void): Promise<void> {
    const { signal } = this.#end;
    try {
      for await (const message of open(signal)) {
        take(message);
        this.last = message;
        this.messages += 1;
      }
      this.broken = 'it was ended';
    } catch (error) {
      if (!signal.aborted) this.broken = error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the test has seen enough'));
    await this.#running;
  }
}

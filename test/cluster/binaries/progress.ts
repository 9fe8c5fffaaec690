import { clearLine, cursorTo } from 'node:readline';

/** What a build tells of its work. */
export type BuildProgress = Pick<Progress, 'line' | 'begin' | 'step' | 'end'>;

/** How people see that something long goes on: one line each thing, on a terminal kept up to date while it lasts. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #title: string | undefined;
  #startedMs = 0;
  #steps = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  line(text: string): void {
    this.#clear();
    this.#stream.write(`${text}\n`);
  }

  begin(title: string): void {
    this.#title = title;
    this.#startedMs = performance.now();
    this.#steps = 0;
    if (!this.#stream.isTTY) this.#stream.write(`${title} ...\n`);
    else this.#timer = setInterval(() => this.#show(), 500).unref();
  }

  /** One more package is done. */
  step(): void {
    this.#steps += 1;
  }

  end(): void {
    clearInterval(this.#timer);
    this.line(`${this.#title ?? ''}: ${this.#soFar()}`);
    this.#title = undefined;
  }

  #show(): void {
    this.#clear();
    this.#stream.write(`${this.#title ?? ''} (${this.#soFar()})`);
  }

  #soFar(): string {
    const seconds = Math.round((performance.now() - this.#startedMs) / 1000);
    const steps = this.#steps === 0 ? '' : `, ${this.#steps} packages`;
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}${steps}`;
  }

  #clear(): void {
    if (!this.#stream.isTTY) return;
    clearLine(this.#stream, 0);
    cursorTo(this.#stream, 0);
  }
}

import { aborted } from '../runtime/aborted.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { rpcErrors } from './errors.ts';

/**
 * The sending side of one stream. What is written is a state, and a slow reader skips those that were followed by another
 * before there was room for them. Writing never waits and never throws; after the end of the stream it does nothing.
 */
export interface StreamWriter<T> {
  /** Sends a message that is the whole state. It must not be changed afterwards. */
  write(message: T): void;
  /**
   * For a state that takes several messages, or fewer the more the reader knows: `make` gives them. It is called when they
   * are about to be sent, and all of them are; it is not called for a state that is skipped.
   */
  writeMade(make: () => readonly T[]): void;
  /** Ends the stream with OK, or with the status of the error. What waits is dropped on an error. */
  end(error?: unknown): void;
  /** Aborted at the end of the stream, whichever side ended it. */
  readonly signal: AbortSignal;
}

/** Where bytes leave the process. `sent` is called once the transport has passed the message on. */
export interface ByteSink {
  write(frame: Buffer, sent: () => void): void;
  end(error?: unknown): void;
}

export interface StreamWriterOptions<T> {
  readonly sink: ByteSink;
  readonly frame: (message: T) => Buffer;
  /** The call's. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly limits?: Partial<StreamWriterLimits>;
}

export interface StreamWriterLimits {
  /** Messages given to the transport that it has not passed on. */
  readonly inFlight: number;
  /** Milliseconds without any progress while messages wait. */
  readonly stalledMs: number;
}

/** A few in flight keep the pipe full; a reader that stands still for a minute is gone. */
const defaultLimits: StreamWriterLimits = { inFlight: 4, stalledMs: 60_000 };

/** A writer whose memory does not grow with the reader's slowness; ends a reader that stands still with `stream_stalled`. */
export class BoundedStreamWriter<T> implements StreamWriter<T> {
  readonly #options: StreamWriterOptions<T>;
  readonly #limits: StreamWriterLimits;
  readonly #end = new AbortController();
  readonly signal: AbortSignal;
  #inFlight = 0;
  /** Of the state that is being sent. */
  #begun: readonly T[] = [];
  /** The state after that. */
  #next: (() => readonly T[]) | undefined;
  #stall: Timer | undefined;
  #ending = false;

  constructor(options: StreamWriterOptions<T>) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    // Not AbortSignal.any(): it looks at its sources each time it is asked, and it is asked for each message.
    this.signal = this.#end.signal;
    const { signal } = options;
    const drop = (): void => this.#drop(signal.reason);
    if (signal.aborted) drop();
    else signal.addEventListener('abort', drop, { once: true });
  }

  write(message: T): void {
    this.writeMade(() => [message]);
  }

  writeMade(make: () => readonly T[]): void {
    if (this.#ending || this.signal.aborted) return;
    this.#next = make;
    this.#fill();
  }

  /** Resolves when the stream has ended, after the last message that waited was given to the transport. */
  get ended(): Promise<void> {
    return aborted(this.signal);
  }

  end(error?: unknown): void {
    if (this.#ending || this.signal.aborted) return;
    this.#ending = true;
    if (error !== undefined || !this.#waits) this.#finish(error);
  }

  get #waits(): boolean {
    return this.#begun.length > 0 || this.#next !== undefined;
  }

  /** Gives the transport as much as there is room for. */
  #fill(): void {
    while (this.#inFlight < this.#limits.inFlight) {
      const message = this.#take();
      if (message === undefined) break;
      this.#inFlight++;
      this.#options.sink.write(this.#options.frame(message), () => this.#sent());
    }
    this.#watch();
  }

  #take(): T | undefined {
    if (this.#begun.length === 0) {
      const make = this.#next;
      this.#next = undefined;
      this.#begun = make?.() ?? [];
    }
    const [first, ...rest] = this.#begun;
    this.#begun = rest;
    return first;
  }

  #sent(): void {
    this.#inFlight--;
    if (this.signal.aborted) return;
    this.#stall?.cancel();
    this.#stall = undefined;
    this.#fill();
    if (this.#ending && !this.#waits) this.#finish();
  }

  #finish(error?: unknown): void {
    this.#options.sink.end(error);
    this.#drop(error ?? rpcErrors.error('rpc_cancelled', 'expected an open stream, got one that was ended'));
  }

  /** Time runs while anything is in flight: a transport that passes nothing on has a reader that takes nothing. */
  #watch(): void {
    if (this.#inFlight === 0 || this.#stall !== undefined || this.signal.aborted) return;
    const { stalledMs } = this.#limits;
    this.#stall = (this.#options.clock ?? systemClock).after(stalledMs, () => {
      this.#ending = true;
      const message = `expected the reader to keep up, but nothing was taken for ${stalledMs} ms; open the stream again to get the present state`;
      this.#finish(rpcErrors.error('stream_stalled', message));
    });
  }

  #drop(reason: unknown): void {
    this.#begun = [];
    this.#next = undefined;
    this.#stall?.cancel();
    this.#stall = undefined;
    this.#end.abort(reason);
  }
}

import { aborted } from '../runtime/aborted.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { rpcErrors } from './errors.ts';

/** The sending side of one stream. */
export interface StreamWriter<T> {
  /**
   * Sends a message, or puts it aside while the reader is slow. Never waits and never throws; after the end of
   * the stream it does nothing. The message must not be changed afterwards.
   */
  write(message: T): void;
  /** Ends the stream with OK, or with the status of the error. What was put aside is dropped on an error. */
  end(error?: unknown): void;
  /** Aborted at the end of the stream, whichever side ended it. */
  readonly signal: AbortSignal;
}

/**
 * Puts one more message behind those that wait for a slow reader, and leaves out what it makes void. What comes
 * back must bring a reader to the same state as all of them in a row, in a bounded number of messages.
 */
export type Fold<T> = (waiting: readonly T[], next: T) => readonly T[];

/** For messages each of which is the whole state. */
export function keepLatest<T>(_waiting: readonly T[], next: T): readonly T[] {
  return [next];
}

/** Where bytes leave the process. `sent` is called once the transport has passed the message on. */
export interface ByteSink {
  write(frame: Buffer, sent: () => void): void;
  end(error?: unknown): void;
}

export interface StreamWriterOptions<T> {
  readonly sink: ByteSink;
  readonly frame: (message: T) => Buffer;
  readonly fold: Fold<T>;
  /** The call's. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly limits?: Partial<StreamWriterLimits>;
}

export interface StreamWriterLimits {
  /** Messages given to the transport that it has not passed on. */
  readonly inFlight: number;
  /** Messages put aside after folding. */
  readonly waiting: number;
  /** Milliseconds without any progress while messages wait. */
  readonly stalledMs: number;
}

/** A few in flight keep the pipe full; folding keeps what waits at one or two; a reader that stands still for a minute is gone. */
const defaultLimits: StreamWriterLimits = { inFlight: 4, waiting: 16, stalledMs: 60_000 };

/** A writer whose memory does not grow with the reader's slowness; ends a reader that stands still with `stream_stalled`. */
export class BoundedStreamWriter<T> implements StreamWriter<T> {
  readonly #options: StreamWriterOptions<T>;
  readonly #limits: StreamWriterLimits;
  readonly #end = new AbortController();
  readonly signal: AbortSignal;
  #inFlight = 0;
  #waiting: readonly T[] = [];
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
    if (this.#ending || this.signal.aborted) return;
    if (this.#inFlight < this.#limits.inFlight && this.#waiting.length === 0) {
      this.#send(message);
      return;
    }
    this.#waiting = this.#options.fold(this.#waiting, message);
    if (this.#waiting.length > this.#limits.waiting) {
      this.end(rpcErrors.error('stream_stalled', stalled(`${this.#limits.waiting} messages wait for it`)));
    }
    this.#watch();
  }

  /** Resolves when the stream has ended, after the last message that waited was given to the transport. */
  get ended(): Promise<void> {
    return aborted(this.signal);
  }

  end(error?: unknown): void {
    if (this.#ending || this.signal.aborted) return;
    this.#ending = true;
    if (error !== undefined) this.#waiting = [];
    if (this.#waiting.length === 0) this.#finish(error);
  }

  #send(message: T): void {
    this.#inFlight++;
    this.#options.sink.write(this.#options.frame(message), () => this.#sent());
    this.#watch();
  }

  #sent(): void {
    this.#inFlight--;
    if (this.signal.aborted) return;
    this.#stall?.cancel();
    this.#stall = undefined;
    const [next, ...rest] = this.#waiting;
    if (next !== undefined) {
      this.#waiting = rest;
      this.#send(next);
    }
    if (this.#ending && this.#waiting.length === 0) this.#finish();
    this.#watch();
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
      this.#finish(rpcErrors.error('stream_stalled', stalled(`nothing was taken for ${stalledMs} ms`)));
    });
  }

  #drop(reason: unknown): void {
    this.#waiting = [];
    this.#stall?.cancel();
    this.#stall = undefined;
    this.#end.abort(reason);
  }
}

function stalled(how: string): string {
  return `expected the reader to keep up, but ${how}; open the stream again to get the present state`;
}

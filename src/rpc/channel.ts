import type { Latest } from '../runtime/latest.ts';
import type { Method } from './method.ts';

export interface CallOptions {
  /** Gives the call up; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Milliseconds to the answer; without it the call waits as long as the connection lives. */
  readonly timeoutMs?: number;
}

/** A connection to one server, made when first used and again whenever it broke. */
export interface Channel {
  unary<Q, S>(method: Method<Q, S>, request: Q, options?: CallOptions): Promise<S>;
  serverStream<Q, S>(method: Method<Q, S>, request: Q, signal: AbortSignal): AsyncIterable<S>;
  bidiStream<Q, S>(method: Method<Q, S>, requests: AsyncIterable<Q>, signal: AbortSignal): AsyncIterable<S>;
  /** True while there is no connection and attempts to make one fail; calls fail at once then. */
  readonly failing: Latest<boolean>;
  /** Ends the connection and every call on it. */
  close(): void;
}

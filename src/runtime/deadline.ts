import type { Clock } from './clock.ts';

export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  /** Ends the wait as well, with its own reason. */
  readonly signal: AbortSignal;
  /** Made only when the time is over: what the wait rejects with. */
  readonly late: () => Error;
}

/**
 * Runs with a signal that is aborted when the time is over or `signal` is, and waits no longer than that, also for work
 * that does not heed it.
 */
export async function withinDeadline<T>(
  { clock, ms, signal, late }: Deadline,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // Not AbortSignal.any, which costs many times as much and would stay tied to a signal that lives long.
  const end = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    end.abort(reason);
    reject(reason);
  };
  const timer = clock.after(ms, () => stop(late()));
  const forward = (): void => stop(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  try {
    return await Promise.race([run(end.signal), promise]);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', forward);
  }
}

/** A timer that was set; cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Waits are measured on a monotonic clock, so a step of the wall clock neither
 * shortens nor prolongs them; whoever waits for a date uses `sleepUntil`, which does follow such a step.
 */
export interface Clock {
  now(): Date;
  /** Waits `ms` milliseconds; rejects with `signal.reason` as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs once after `ms` milliseconds, never before the caller has returned. */
  after(ms: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  after: afterOnSystem,
};

/** `setTimeout` fires at once when asked for more than this many milliseconds. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * Node runs timers before it looks what has come from the network, so a process that stood still for a while (another had
 * the processor) would call late what is there already. A timer that is due therefore lets that be seen first.
 */
function afterOnSystem(ms: number, run: () => void): Timer {
  const dueAt = performance.now() + ms;
  let handle: NodeJS.Timeout;
  let immediate: NodeJS.Immediate | undefined;
  const due = (): void => {
    immediate = setImmediate(run);
  };
  const step = (): void => {
    const remainingMs = Math.max(dueAt - performance.now(), 0);
    handle =
      remainingMs > longestTimeoutMs ? setTimeout(step, longestTimeoutMs) : setTimeout(due, remainingMs);
  };
  step();
  return {
    cancel: () => {
      clearTimeout(handle);
      clearImmediate(immediate);
    },
  };
}

/** `sleep` for any clock, built on its `after`. */
export function sleepOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** How late a wait for a date may notice that the machine slept or its clock was set. */
const wallClockCheckMs = 60_000;

/**
 * Waits until the wall clock shows `date`; rejects with `signal.reason` when aborted. Also ends when it shows a time
 * before `since`: then it was ahead and has been set right, and what began meanwhile has not begun yet.
 */
export async function sleepUntil(
  clock: Clock,
  date: Date,
  signal?: AbortSignal,
  since?: Date,
): Promise<void> {
  for (;;) {
    const now = clock.now();
    const remainingMs = date.getTime() - now.getTime();
    if (remainingMs <= 0 || (since !== undefined && now < since)) return;
    await clock.sleep(Math.min(remainingMs, wallClockCheckMs), signal);
  }
}

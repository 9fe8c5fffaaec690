import { setTimeout as pause } from 'node:timers/promises';

const stepMs = 5;
/** Far longer than anything takes on a machine whose processors are shared. */
const givenUpAfterMs = 30_000;

/**
 * Waits for what the outside (a file system, a socket, another process) is about to do: calls `check` until it
 * neither throws nor rejects, and gives what it gave. Shorter than jest's own limit, so that the last failure is
 * the one that is reported; `withinMs` is for what waits on its own for that long, in tests with a limit of their own.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = givenUpAfterMs): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await pause(stepMs);
  }
}

import { cliErrors } from './errors.ts';

/**
 * Calls `end` when somebody ends the command: with Ctrl-C, SIGTERM, or by closing its terminal. What it answers with leaves
 * the signals to their defaults again. A second Ctrl-C or SIGTERM ends the process at once. A second SIGHUP does not: of one
 * closed terminal a process hears from the kernel, and again from the shell or the script that started it.
 */
export function onInterruption(end: () => void): () => void {
  process.once('SIGINT', end).once('SIGTERM', end).on('SIGHUP', end);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, end);
  };
}

/**
 * Runs something that takes away what it made when it ends, also when somebody ends the command: the signal that it is given
 * aborts then, and this rejects with `interrupted`.
 */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const forget = onInterruption(() =>
    ended.abort(cliErrors.error('interrupted', 'expected to go on to the end, got a signal to end')),
  );
  try {
    const result = await run(ended.signal);
    ended.signal.throwIfAborted();
    return result;
  } finally {
    forget();
    ended.abort();
  }
}

import { cliErrors } from './errors.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs something that takes away what it made when it ends, also when somebody ends the command (Ctrl-C): the signal that it is
 * given aborts then, and this rejects with `interrupted`. A second time ends the process at once.
 */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const onSignal = (): void =>
    ended.abort(cliErrors.error('interrupted', 'expected to go on to the end, got a signal to end'));
  for (const signal of signals) process.once(signal, onSignal);
  try {
    const result = await run(ended.signal);
    ended.signal.throwIfAborted();
    return result;
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
    ended.abort();
  }
}

import type { StreamWriter } from '../rpc/stream-writer.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Watched } from './watched.ts';

/**
 * Tells a stream the present state and each one after it, until the stream ends; then closes the watch. A state that
 * is not known yet keeps the stream waiting: an error would cost the caller its back-off, up to a minute of it, also
 * when the answer is there in the next second (contract 11.3).
 */
export async function tell<T>(
  watched: Watched<T>,
  out: Pick<StreamWriter<never>, 'signal'>,
  send: (state: T) => void,
): Promise<void> {
  const told = (state: T | undefined) => {
    if (state !== undefined) send(state);
  };
  const unsubscribe = watched.state.subscribe(told);
  try {
    told(watched.state.value);
    await aborted(out.signal);
  } finally {
    unsubscribe();
    watched.close();
  }
}

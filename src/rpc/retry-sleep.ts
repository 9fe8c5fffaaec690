import type { Clock } from '../runtime/clock.ts';
import type { Channel } from './channel.ts';

/**
 * The wait before a call is repeated. A channel that cannot connect has a back-off of its own: the call waits for no other
 * beside it, and the wait is over as soon as the channel has connected or begun afresh.
 */
export function retrySleep(channel: Pick<Channel, 'failing'>, clock: Clock): Clock['sleep'] {
  return async (ms, signal) => {
    if (!channel.failing.value) return clock.sleep(ms, signal);
    const over = new AbortController();
    const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    const recovered = channel.failing.until((failing) => !failing, either);
    try {
      await Promise.race([clock.sleep(ms, either), recovered]);
    } finally {
      over.abort();
    }
  };
}

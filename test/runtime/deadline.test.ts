import { jest } from '@jest/globals';

import { withinDeadline } from '../../src/runtime/deadline.ts';
import { ManualClock } from '../support/manual-clock.ts';

function bench() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const deadline = { clock, ms: 1_000, signal: stop.signal, late: () => new RangeError('too late') };
  return { clock, stop, deadline };
}

/** Work that heeds nothing and never ends. */
const deaf = (): Promise<never> => new Promise(() => undefined);

describe('withinDeadline', () => {
  it('gives what the work gives, and leaves no timer behind', async () => {
    const { clock, deadline } = bench();
    expect(await withinDeadline(deadline, () => Promise.resolve('done'))).toBe('done');
    expect(clock.pending).toBe(0);
  });

  it('rejects as the work does', async () => {
    const { clock, deadline } = bench();
    await expect(withinDeadline(deadline, () => Promise.reject(new TypeError('broken')))).rejects.toThrow(
      'broken',
    );
    expect(clock.pending).toBe(0);
  });

  it('waits no longer than the time, also for work that does not heed its signal', async () => {
    const { clock, deadline } = bench();
    let given: AbortSignal | undefined;
    const waiting = withinDeadline(deadline, (signal) => {
      given = signal;
      return deaf();
    });
    const refused = expect(waiting).rejects.toThrow('too late');
    await clock.advance(999);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    await refused;
    expect(given?.reason).toEqual(new RangeError('too late'));
  });

  it('ends with the reason of the signal, and begins nothing once that is aborted', async () => {
    const { clock, stop, deadline } = bench();
    const waiting = withinDeadline(deadline, deaf);
    stop.abort(new Error('ending'));
    await expect(waiting).rejects.toThrow('ending');
    const work = jest.fn(deaf);
    await expect(withinDeadline(deadline, work)).rejects.toThrow('ending');
    expect(work).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });
});

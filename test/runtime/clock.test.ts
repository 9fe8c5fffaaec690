import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { sleepUntil, systemClock } from '../../src/runtime/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('the system clock', () => {
  it('fires a timer after the turn it was set in', async () => {
    const order: string[] = [];
    const fired = new Promise<void>((resolve) => {
      systemClock.after(0, () => {
        order.push('timer');
        resolve();
      });
    });
    order.push('caller');
    await fired;
    expect(order).toEqual(['caller', 'timer']);
  });

  it.each([2 ** 31, 2 ** 40, Infinity])('does not fire a timer of %d ms at once', async (ms) => {
    let fired = false;
    const timer = systemClock.after(ms, () => {
      fired = true;
    });
    await systemClock.sleep(5);
    timer.cancel();
    expect(fired).toBe(false);
  });

  it('lets be seen what came while the process stood still before it fires a timer that is late', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const order: string[] = [];
    // Timers come right after what was put off to the end of a turn.
    await new Promise(setImmediate);
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.once('connect', () => order.push('connected'));
    process.nextTick(() => {
      systemClock.after(5, () => order.push('late timer'));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    });
    await once(socket, 'close');
    while (order.length < 2) await systemClock.sleep(1);
    server.close();
    expect(order).toEqual(['connected', 'late timer']);
  });

  it('does not fire a timer that was cancelled while it waited for what came', async () => {
    let fired = false;
    const timer = systemClock.after(1, () => {
      fired = true;
    });
    setTimeout(() => timer.cancel(), 1);
    await systemClock.sleep(5);
    expect(fired).toBe(false);
  });

  it('does not fire a timer that was cancelled', async () => {
    let fired = false;
    systemClock
      .after(1, () => {
        fired = true;
      })
      .cancel();
    await systemClock.sleep(5);
    expect(fired).toBe(false);
  });
});

describe('sleep', () => {
  it('rejects with the reason of a signal that was aborted before', async () => {
    const clock = new ManualClock();
    await expect(clock.sleep(10, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of the signal and leaves no timer', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    controller.abort(new Error('stop'));
    await expect(sleeping).rejects.toThrow('stop');
    expect(clock.pending).toBe(0);
  });

  it('is not disturbed by an abort after its end', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    await clock.advance(10);
    controller.abort();
    await expect(sleeping).resolves.toBeUndefined();
  });
});

describe('sleepUntil', () => {
  const start = new Date('2026-05-01T12:00:00Z');
  const inAnHour = new Date('2026-05-01T13:00:00Z');

  const begin = (): { clock: ManualClock; isOver: () => boolean } => {
    const clock = new ManualClock(start);
    let over = false;
    void sleepUntil(clock, inAnHour).then(() => {
      over = true;
    });
    return { clock, isOver: () => over };
  };

  it('ends at its date', async () => {
    const { clock, isOver } = begin();
    await clock.advance(3_599_999);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect(isOver()).toBe(true);
  });

  it('ends soon after the machine slept past its date', async () => {
    const { clock, isOver } = begin();
    clock.set(new Date('2026-05-02T00:00:00Z'));
    await clock.advance(60_000);
    expect(isOver()).toBe(true);
  });

  it('goes on when the clock was set back', async () => {
    const { clock, isOver } = begin();
    await clock.advance(1_800_000);
    clock.set(start);
    await clock.advance(1_800_000);
    expect(isOver()).toBe(false);
    await clock.advance(1_800_000);
    expect(isOver()).toBe(true);
  });

  it('ends soon after the clock was set back to a time before the one named', async () => {
    const clock = new ManualClock(start);
    let over = false;
    void sleepUntil(clock, inAnHour, undefined, new Date('2026-05-01T11:59:00Z')).then(() => (over = true));
    clock.set(new Date('2026-05-01T11:59:00Z'));
    await clock.advance(60_000);
    expect(over).toBe(false);
    clock.set(new Date('2026-05-01T11:00:00Z'));
    await clock.advance(60_000);
    expect(over).toBe(true);
  });

  it('does not wait for a date that is past', async () => {
    await expect(sleepUntil(new ManualClock(inAnHour), start)).resolves.toBeUndefined();
  });
});

describe('the manual clock', () => {
  it('fires timers in the order they fall due, each at its hour', async () => {
    const clock = new ManualClock(new Date(0));
    const fired: [string, number][] = [];
    const note = (name: string) => () => fired.push([name, clock.now().getTime()]);
    clock.after(20, note('late'));
    clock.after(10, note('early'));
    clock.after(10, note('early too'));
    await clock.advance(30);
    expect(fired).toEqual([
      ['early', 10],
      ['early too', 10],
      ['late', 20],
    ]);
    expect(clock.now().getTime()).toBe(30);
  });

  it('fires what was set by a timer within the same advance', async () => {
    const clock = new ManualClock(new Date(0));
    const times: number[] = [];
    const tick = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(10);
        times.push(clock.now().getTime());
      }
    };
    void tick();
    await clock.advance(35);
    expect(times).toEqual([10, 20, 30]);
    expect([clock.pending, clock.nextDueMs]).toEqual([1, 5]);
  });

  it('fires nothing when the wall clock is set', () => {
    const clock = new ManualClock();
    clock.after(10, () => undefined);
    clock.set(new Date('2030-01-01T00:00:00Z'));
    expect([clock.pending, clock.nextDueMs]).toEqual([1, 10]);
    expect(clock.now()).toEqual(new Date('2030-01-01T00:00:00Z'));
  });
});

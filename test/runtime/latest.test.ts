import { jest } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LatestValue } from '../../src/runtime/latest.ts';

describe('a latest value', () => {
  it('tells its listeners of changes, not of the present value', () => {
    const latest = new LatestValue(1);
    const seen: number[] = [];
    latest.subscribe((value) => seen.push(value));
    expect(seen).toEqual([]);
    latest.set(2);
    expect(seen).toEqual([2]);
    expect(latest.value).toBe(2);
  });

  it('drops a value that is the same as the present one', () => {
    const latest = new LatestValue({ id: 1, at: 'first' }, (a, b) => a.id === b.id);
    const seen: number[] = [];
    latest.subscribe(({ id }) => seen.push(id));
    latest.set({ id: 1, at: 'second' });
    latest.set({ id: 2, at: 'third' });
    expect(seen).toEqual([2]);
  });

  it('keeps the old object where the new one is the same', () => {
    const latest = new LatestValue({ id: 1, at: 'first' }, (a, b) => a.id === b.id);
    latest.set({ id: 1, at: 'second' });
    expect(latest.value.at).toBe('first');
  });

  it('tells nothing after the end of a subscription', () => {
    const latest = new LatestValue(1);
    const seen: number[] = [];
    const stop = latest.subscribe((value) => seen.push(value));
    stop();
    latest.set(2);
    expect(seen).toEqual([]);
  });

  it('counts a listener that subscribed twice as two', () => {
    const latest = new LatestValue(1);
    const seen: number[] = [];
    const listener = (value: number): void => void seen.push(value);
    latest.subscribe(listener);
    latest.subscribe(listener)();
    latest.set(2);
    expect(seen).toEqual([2]);
  });

  it('does not tell a listener that another one has just unsubscribed', () => {
    const latest = new LatestValue(1);
    const seen: number[] = [];
    const stops = [(): void => undefined];
    latest.subscribe(() => stops[0]!());
    stops[0] = latest.subscribe((value) => seen.push(value));
    latest.set(2);
    expect(seen).toEqual([]);
  });

  it('never tells an older value after a newer one, also when a listener sets it', () => {
    const latest = new LatestValue(1);
    const seen: number[] = [];
    latest.subscribe((value) => {
      if (value === 2) latest.set(3);
    });
    latest.subscribe((value) => seen.push(value));
    latest.set(2);
    expect(seen).toEqual([3]);
  });

  it('tells the other listeners when one throws, and raises the error by itself', () => {
    const raised: unknown[] = [];
    const spy = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((job) => {
      try {
        job();
      } catch (error) {
        raised.push(error);
      }
    });
    const latest = new LatestValue(1);
    const seen: number[] = [];
    latest.subscribe(() => {
      throw new Error('bug');
    });
    latest.subscribe((value) => seen.push(value));
    latest.set(2);
    spy.mockRestore();
    expect(seen).toEqual([2]);
    expect(raised).toEqual([new Error('bug')]);
  });
});

describe('reserve', () => {
  it('refuses the result of a read that began before the one that was applied', () => {
    const latest = new LatestValue('none');
    const slow = latest.reserve();
    const quick = latest.reserve();
    expect(quick('new')).toBe(true);
    expect(slow('old')).toBe(false);
    expect(latest.value).toBe('new');
  });

  it('refuses the result of a read that began before a set', () => {
    const latest = new LatestValue('none');
    const slow = latest.reserve();
    latest.set('new');
    expect(slow('old')).toBe(false);
    expect(latest.value).toBe('new');
  });

  it('takes results in the order in which their reads began', () => {
    const latest = new LatestValue('none');
    const [first, second] = [latest.reserve(), latest.reserve()];
    expect([first('a'), second('b')]).toEqual([true, true]);
    expect(latest.value).toBe('b');
  });

  it('takes one result for each place', () => {
    const latest = new LatestValue('none');
    const place = latest.reserve();
    expect([place('a'), place('b')]).toEqual([true, false]);
  });
});

describe('until', () => {
  it('gives the present value at once when it satisfies', async () => {
    await expect(new LatestValue(5).until((value) => value > 3)).resolves.toBe(5);
  });

  it('waits for the first value that satisfies', async () => {
    const latest = new LatestValue(1);
    const big = latest.until((value) => value > 3);
    latest.set(2);
    await nextTurn();
    latest.set(7);
    await expect(big).resolves.toBe(7);
  });

  it('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const waiting = new LatestValue(1).until(() => false, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('rejects with what the predicate throws', async () => {
    const latest = new LatestValue(1);
    const waiting = latest.until((value) => {
      if (value === 2) throw new Error('odd');
      return false;
    });
    latest.set(2);
    await expect(waiting).rejects.toThrow('odd');
  });
});

describe('changes', () => {
  it('begins with the present value and gives a slow reader only the newest', async () => {
    const latest = new LatestValue(1);
    const controller = new AbortController();
    const changes = latest.changes(controller.signal)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (await changes.next()).value;
    expect(await next()).toBe(1);
    latest.set(2);
    latest.set(3);
    expect(await next()).toBe(3);
    const pending = next();
    await nextTurn();
    latest.set(4);
    expect(await pending).toBe(4);
  });

  it('ends when the signal is aborted', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of new LatestValue(1).changes(controller.signal)) seen.push(value);
    })();
    await nextTurn();
    controller.abort();
    await reading;
    expect(seen).toEqual([1]);
  });
});

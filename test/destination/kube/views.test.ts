import { setImmediate } from 'node:timers/promises';
import type { Topics } from '../../../src/destination/kube/lookup.ts';
import { Views } from '../../../src/destination/kube/views.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { toldFailures } from './support/told-failures.ts';

/** One view for each of some targets, which reads the number that is kept for it. */
function stand(synced = true) {
  const seen = new LatestValue(synced);
  const { failures, told, count } = toldFailures();
  const views = new Views(seen, failures);
  const numbers = new Map<string, number>();
  const readings: string[] = [];
  const watch = (target: string) =>
    views.watch({
      view: 'endpoints',
      target,
      read: (topics: Topics) => {
        topics.add(target);
        readings.push(target);
        const number = numbers.get(target);
        if (number === undefined) throw new Error(`nothing is kept for ${target}`);
        return number;
      },
      same: Object.is,
    });
  const put = async (values: Record<string, number | undefined>) => {
    for (const [target, number] of Object.entries(values)) {
      if (number === undefined) numbers.delete(target);
      else numbers.set(target, number);
    }
    views.touch(Object.keys(values));
    await setImmediate();
  };
  return { told, count, seen, watch, put, readings };
}

describe('a view', () => {
  it('is read when all has been seen, and again when something that it read has changed', async () => {
    const { seen, watch, put, readings } = stand(false);
    await put({ a: 1, b: 1 });
    const { state } = watch('a');
    expect(state.value).toBeUndefined();
    seen.set(true);
    await setImmediate();
    expect(state.value).toBe(1);
    await put({ b: 2 });
    await put({ a: 2 });
    expect(state.value).toBe(2);
    expect(readings).toEqual(['a', 'a']);
  });

  it('is read no more once it is closed', async () => {
    const { watch, put, readings } = stand();
    await put({ a: 1 });
    const watched = watch('a');
    watched.close();
    await put({ a: 2 });
    expect(readings).toEqual(['a']);
  });

  it('keeps its last answer while it cannot be read, and holds up no other', async () => {
    const { watch, put, told, count } = stand();
    await put({ a: 1, b: 1 });
    const [a, b] = [watch('a'), watch('b')];
    await put({ a: undefined, b: 2 });
    expect([a.state.value, b.state.value]).toEqual([1, 2]);
    expect(told()).toMatchObject([
      { level: 'error', fields: { code: 'endpoints', target: 'a', error: expect.anything() as unknown } },
    ]);
    expect(JSON.stringify(told())).toContain('nothing is kept for a');
    expect(await count('endpoints')).toBe(1);
    await put({ a: 3 });
    expect([a.state.value, b.state.value]).toEqual([3, 2]);
  });

  it('is not known yet when it cannot be read from the beginning, until it can', async () => {
    const { watch, put, told } = stand();
    const { state } = watch('a');
    expect(state.value).toBeUndefined();
    expect(told()).toHaveLength(1);
    await put({ a: 1 });
    expect(state.value).toBe(1);
  });
});

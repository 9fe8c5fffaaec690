import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('fires in the order of time and then of setting, and lets all that follows happen before the next', async () => {
    const clock = new VirtualClock(new Date(1_000));
    const seen: string[] = [];
    const see = (what: string) => (): void => void seen.push(`${clock.nowMs} ${what}`);
    for (const ms of [30, 10, 20, 10]) {
      clock.after(ms, () => {
        see(`after ${ms}`)();
        void Promise.resolve().then(see('and then'));
      });
    }
    clock.after(15, see('cancelled')).cancel();
    void clock.sleep(12).then(see('slept'));
    await clock.run(1_025);
    expect(seen).toEqual([
      ...['1010 after 10', '1010 after 10', '1010 and then', '1010 and then'],
      ...['1012 slept', '1020 after 20', '1020 and then'],
    ]);
    expect(clock.now()).toEqual(new Date(1_025));
  });

  it('keeps its order with many timers', async () => {
    const clock = new VirtualClock(new Date(0));
    const fired: number[] = [];
    for (let number = 0; number < 5_000; number += 1) {
      const dueMs = (number * 7_919) % 1_000;
      clock.after(dueMs, () => fired.push(dueMs));
    }
    await clock.run(1_000);
    expect(fired).toHaveLength(5_000);
    expect(fired).toEqual(fired.toSorted((a, b) => a - b));
  });
});

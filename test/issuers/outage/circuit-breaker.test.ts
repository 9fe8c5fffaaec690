import { CircuitBreaker, type BreakerPolicy } from '../../../src/issuers/outage/circuit-breaker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const policy: BreakerPolicy = {
  failures: 3,
  probes: 2,
  pause: { minMs: 1_000, maxMs: 4_000, jitter: 0.5 },
  quietMs: 10_000,
};

function bench(random = 0): { clock: ManualClock; breaker: CircuitBreaker; fail: (times?: number) => void } {
  const clock = new ManualClock();
  const breaker = new CircuitBreaker({ clock, random: () => random, policy });
  const fail = (times = 1): void => {
    for (let time = 0; time < times; time += 1) breaker.begin().failed(`no answer ${time + 1}`);
  };
  return { clock, breaker, fail };
}

describe('CircuitBreaker', () => {
  it('opens after failures in a row, and says since when and why', () => {
    const { clock, breaker, fail } = bench();
    fail(2);
    expect(breaker.state.value).toEqual({ state: 'closed' });
    fail();
    expect(breaker.state.value).toEqual({ state: 'open', since: clock.now(), reason: 'no answer 1' });
    expect(breaker.admits).toBe(false);
    expect(breaker.waitMs).toBe(1_000);
  });

  it('counts from the beginning again after a success', () => {
    const { breaker, fail } = bench();
    fail(2);
    breaker.begin().succeeded();
    fail(2);
    expect(breaker.admits).toBe(true);
  });

  it('lets only so many probes through once the pause is over', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    await clock.advance(999);
    expect(breaker.admits).toBe(false);
    await clock.advance(1);
    expect([breaker.admits, breaker.waitMs]).toEqual([true, 0]);
    breaker.begin();
    expect(breaker.state.value.state).toBe('half-open');
    expect(breaker.admits).toBe(true);
    breaker.begin();
    expect(breaker.admits).toBe(false);
  });

  it('closes when as many probes as that have succeeded', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    await clock.advance(1_000);
    breaker.begin().succeeded();
    expect(breaker.state.value.state).toBe('half-open');
    breaker.begin().succeeded();
    expect(breaker.state.value).toEqual({ state: 'closed' });
    fail(2);
    expect(breaker.admits).toBe(true);
  });

  it('closes a while after one has succeeded where nobody else asks, and not if another fails meanwhile', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    await clock.advance(1_000);
    breaker.begin().succeeded();
    await clock.advance(9_000);
    fail();
    expect(breaker.state.value.state).toBe('open');
    await clock.advance(2_000);
    breaker.begin().succeeded();
    await clock.advance(9_999);
    expect(breaker.state.value.state).toBe('half-open');
    await clock.advance(1);
    expect(breaker.state.value).toEqual({ state: 'closed' });
  });

  it('opens again when a probe fails, for longer each time up to a cap, and still says since when', async () => {
    const { clock, breaker, fail } = bench();
    const since = clock.now();
    fail(3);
    for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
      expect(breaker.waitMs).toBe(pauseMs);
      await clock.advance(pauseMs);
      breaker.begin().failed('still away');
      expect(breaker.state.value).toEqual({ state: 'open', since, reason: 'still away' });
    }
  });

  it('prolongs a pause by chance, so that replicas do not probe together', () => {
    const { breaker, fail } = bench(1);
    fail(3);
    expect(breaker.waitMs).toBe(1_500);
  });

  it('pauses for the shortest time again after it was closed', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    await clock.advance(1_000);
    breaker.begin().failed('still away');
    await clock.advance(2_000);
    for (let probe = 0; probe < policy.probes; probe += 1) breaker.begin().succeeded();
    fail(3);
    expect(breaker.waitMs).toBe(1_000);
  });

  it('hears nothing of calls that began before it opened', async () => {
    const { clock, breaker, fail } = bench();
    const early = [breaker.begin(), breaker.begin(), breaker.begin()];
    fail(3);
    early[0]?.succeeded();
    expect(breaker.admits).toBe(false);
    await clock.advance(1_000);
    breaker.begin();
    early[1]?.failed('late');
    early[2]?.succeeded();
    expect(breaker.state.value.state).toBe('half-open');
    // One probe is under way, whatever the early ones said.
    breaker.begin();
    expect(breaker.admits).toBe(false);
  });

  it('frees the place of a probe that nobody waits for any more, and learns nothing from it', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    await clock.advance(1_000);
    const probes = [breaker.begin(), breaker.begin()];
    probes[0]?.dropped();
    probes[0]?.dropped();
    expect(breaker.state.value.state).toBe('half-open');
    expect(breaker.admits).toBe(true);
    breaker.begin();
    expect(breaker.admits).toBe(false);
  });

  it('is not kept open by a wall clock that is set back', async () => {
    const { clock, breaker, fail } = bench();
    fail(3);
    clock.set(new Date(clock.now().getTime() - 3_600_000));
    await clock.advance(1_000);
    expect([breaker.admits, breaker.waitMs]).toEqual([true, 0]);
  });
});

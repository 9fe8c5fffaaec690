import { Balancer } from '../../../src/proxy/outbound/balancer.ts';
import type { Choice } from '../../../src/proxy/outbound/balancer.ts';
import type { Endpoint } from '../../../src/proxy/outbound/endpoint.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function endpoint(host: string): Endpoint {
  const security = { kind: 'plain', reason: 'not_provided_by_service_discovery' } as const;
  return { key: `${host}:80`, host, port: 80, security, labels: {} };
}

const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(endpoint) as [Endpoint, Endpoint, Endpoint];
const none: ReadonlySet<string> = new Set();

/** Random numbers from a list, then from its beginning again. */
function cycle(...numbers: number[]): () => number {
  let next = 0;
  return () => numbers[next++ % numbers.length] ?? 0;
}

function balancer(options: { random?: () => number; endpoints: Endpoint[] }) {
  const clock = new ManualClock();
  const made = new Balancer({
    clock,
    random: options.random ?? cycle(0, 0.99),
    backoff: { minMs: 100, maxMs: 1000, jitter: 0 },
  });
  made.update(options.endpoints);
  return { clock, balancer: made };
}

const keyOf = (choice: Choice | undefined): string | undefined => choice?.endpoint.key;

describe('the balancer', () => {
  it('has nothing to pick from no endpoints', () => {
    expect(balancer({ endpoints: [] }).balancer.pick(none)).toBeUndefined();
  });

  it('picks the less busy one of two drawn at random', () => {
    const { balancer: some } = balancer({ endpoints: [a, b, c], random: cycle(0, 0) });
    expect([some.pick(none), some.pick(none), some.pick(none)].map(keyOf)).toEqual([a.key, b.key, a.key]);
  });

  it('never draws the same endpoint twice', () => {
    for (const [first, second] of [
      [0, 0],
      [0.99, 0.99],
      [0.5, 0.5],
      [0.5, 0],
    ] as const) {
      const { balancer: some } = balancer({ endpoints: [a, b, c], random: cycle(first, second) });
      expect(keyOf(some.pick(none))).not.toBe(keyOf(some.pick(none)));
    }
  });

  it('counts a connection until it is released, once', () => {
    const { balancer: some } = balancer({ endpoints: [a, b], random: cycle(0, 0) });
    const first = some.pick(none);
    some.pick(none);
    first?.release();
    first?.release();
    expect([some.pick(none), some.pick(none)].map(keyOf)).toEqual([a.key, a.key]);
  });

  it('spreads evenly', () => {
    const { balancer: some } = balancer({ endpoints: [a, b, c], random: Math.random });
    const counts = new Map<string | undefined, number>();
    for (let i = 0; i < 300; i += 1) {
      const key = keyOf(some.pick(none));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(10);
  });

  it('does not pick what was tried', () => {
    const { balancer: some } = balancer({ endpoints: [a, b] });
    expect(keyOf(some.pick(new Set([a.key])))).toBe(b.key);
    expect(some.pick(new Set([a.key, b.key]))).toBeUndefined();
  });

  it('leaves out an endpoint that failed until its back-off is over', async () => {
    const { balancer: some, clock } = balancer({ endpoints: [a, b], random: cycle(0) });
    some.pick(new Set([b.key]))?.failed();
    expect([some.pick(none), some.pick(none)].map(keyOf)).toEqual([b.key, b.key]);
    await clock.advance(100);
    expect(keyOf(some.pick(none))).toBe(a.key);
  });

  it('leaves it out twice as long each time, up to the longest wait, until it succeeds', async () => {
    const { balancer: some, clock } = balancer({ endpoints: [a, b] });
    const failAndWait = async (): Promise<number | undefined> => {
      some.pick(new Set([b.key]))?.failed();
      const waited = clock.nextDueMs;
      await clock.advance(waited ?? 0);
      return waited;
    };
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 6; i += 1) waits.push(await failAndWait());
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    some.pick(new Set([b.key]))?.succeeded();
    expect(await failAndWait()).toBe(100);
  });

  it('takes failures that come together for one', async () => {
    const { balancer: some, clock } = balancer({ endpoints: [a] });
    const choices = [some.pick(none), some.pick(none), some.pick(none)];
    for (const choice of choices) choice?.failed();
    expect([clock.pending, clock.nextDueMs]).toEqual([1, 100]);
    await clock.advance(100);
    some.pick(none)?.failed();
    expect(clock.nextDueMs).toBe(200);
  });

  it('picks the one that comes back soonest when all are left out', async () => {
    const { balancer: some, clock } = balancer({ endpoints: [a, b] });
    some.pick(new Set([a.key]))?.failed();
    await clock.advance(50);
    some.pick(new Set([b.key]))?.failed();
    expect(keyOf(some.pick(none))).toBe(b.key);
    expect(keyOf(some.pick(new Set([b.key])))).toBe(a.key);
  });

  it('takes an endpoint back at once when a connection to it succeeds', () => {
    const { balancer: some, clock } = balancer({ endpoints: [a] });
    some.pick(none)?.failed();
    some.pick(none)?.succeeded();
    expect(clock.pending).toBe(0);
  });

  it('keeps connections and failures of the endpoints that stay, and shows their new metadata', () => {
    const { balancer: some } = balancer({ endpoints: [a, b], random: cycle(0) });
    some.pick(new Set([b.key]))?.failed();
    some.update([{ ...a, labels: { pod: 'new' } }, b, c]);
    expect([some.pick(none), some.pick(none)].map(keyOf)).not.toContain(a.key);
    expect(some.pick(new Set([b.key, c.key]))?.endpoint.labels).toEqual({ pod: 'new' });
  });

  it('forgets an endpoint that is gone, also when its last connections fail later', () => {
    const { balancer: some, clock } = balancer({ endpoints: [a, b] });
    const [early, late] = [some.pick(new Set([b.key])), some.pick(new Set([b.key]))];
    early?.failed();
    some.update([b]);
    late?.failed();
    late?.release();
    expect(clock.pending).toBe(0);
    some.update([a, b]);
    expect(keyOf(some.pick(new Set([b.key])))).toBe(a.key);
  });

  it('stops its timers when closed', () => {
    const { balancer: some, clock } = balancer({ endpoints: [a, b] });
    some.pick(none)?.failed();
    some.close();
    expect([clock.pending, some.pick(none)]).toEqual([0, undefined]);
  });
});

import { planOf, type Plan } from './plan.ts';
import { Simulation, replicaCount, type SimulationOptions } from './simulation.ts';

const hour = 3_600_000;

/** Two days of a small mesh; the CA signs a few times as fast as is needed. */
async function run(
  different: Partial<SimulationOptions> = {},
): Promise<Simulation['record'] & { hash: string }> {
  const simulation = new Simulation({
    ...{ seed: 1, proxies: 250, days: 2, ratePerReplica: 1, stubbornShare: 0.01 },
    plan: planOf(1, 2),
    ...different,
  });
  await simulation.run();
  return Object.assign(simulation.record, { hash: simulation.record.digest() });
}

/** An outage of so many hours, which begins in the middle of the first renewals. */
function outage(hours: number): Plan {
  const fromMs = 15.5 * hour;
  return { troubles: [{ kind: 'hangs', fromMs, untilMs: fromMs + hours * hour }], upheavals: [] };
}

describe('the simulation of an outage', () => {
  it('has nobody expire over an outage of seven hours, and never more calls than the rate', async () => {
    const record = await run();
    expect(record.expired).toBe(0);
    expect(record.given).toBeGreaterThan(600);
    expect(record.peakPerSecond).toBeLessThanOrEqual(replicaCount);
    expect(record.closestMs).toBeGreaterThan(0);
  });

  it('is the same for the same seed, and another for another', async () => {
    const runs = [await run({ days: 1 }), await run({ days: 1 }), await run({ days: 1, seed: 2 })];
    expect(runs[1]?.hash).toBe(runs[0]?.hash);
    expect(runs[2]?.hash).not.toBe(runs[0]?.hash);
  });

  it('holds the rate against clients that look at no advice', async () => {
    const record = await run({ stubbornShare: 1, plan: outage(3), proxies: 200 });
    expect(record.expired).toBe(0);
    expect(record.peakPerSecond).toBeLessThanOrEqual(replicaCount);
  });

  it('can fail: an outage longer than the reserve has certificates expire', async () => {
    expect((await run({ plan: outage(9), proxies: 200 })).expired).toBeGreaterThan(10);
  });
});

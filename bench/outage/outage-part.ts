import { Population } from '../../test/simulate/population.ts';
import { SimulationRecord } from '../../test/simulate/record.ts';
import { Replica } from '../../test/simulate/replica.ts';
import { seededRandom } from '../../test/simulate/seeded-random.ts';
import { SimulatedProxy } from '../../test/simulate/simulated-proxy.ts';
import { VirtualClock } from '../../test/simulate/virtual-clock.ts';
import type { BenchPart, Round } from '../part.ts';
import { BusyCa } from './busy-ca.ts';

const proxies = 5_000;
const urgent = 500;
const replicaCount = 3;
const minute = 60_000;
const hour = 60 * minute;
/** How long the CA is away, and how much longer the certificates of the urgent ones are good then. */
const outageMs = 2 * hour;
const urgentLeftMs = minute;
const straightAtOnce = 32;
const start = new Date('2026-01-01T00:00:00Z');

/**
 * After an outage: when the last of those is served whose certificates end within a minute, beside the time that the CA takes
 * for as many when it is asked for nothing else. On a virtual clock, so that it is the decisions that are measured.
 */
export const outagePart: BenchPart = {
  name: 'outage',
  run: async ({ rounds, progress, signal }) => {
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      progress(`after an outage, round ${round} of ${rounds}`);
      signal.throwIfAborted();
      measured.push({ ours: await lastUrgent(round, signal), peer: urgent / (await straightRate()) });
    }
    return [
      {
        measure: `${proxies} proxies after an outage, the last of ${urgent} urgent ones`,
        against: `${urgent} at the CA's straight rate`,
        unit: 's',
        rounds: measured,
        floor: { at: 'most', value: 1.3 },
      },
    ];
  },
};

/** Certificates a second from the CA alone, a few at a time. */
async function straightRate(): Promise<number> {
  const clock = new VirtualClock(start);
  const ca = new BusyCa(clock);
  let signed = 0;
  const ask = async (): Promise<void> => {
    for (;;) {
      await ca.issue({ notBefore: start, notAfter: start });
      signed += 1;
    }
  };
  for (let number = 0; number < straightAtOnce; number += 1) void ask();
  await clock.run(start.getTime() + minute);
  return signed / 60;
}

/** Seconds from the first certificate after the outage to that of the last urgent proxy. */
async function lastUrgent(seed: number, signal: AbortSignal): Promise<number> {
  const clock = new VirtualClock(start);
  const random = seededRandom(seed);
  const ca = new BusyCa(clock);
  const population = new Population(proxies);
  const { domain, tokens, parseCsr } = population;
  const replicas = Array.from(
    { length: replicaCount },
    () => new Replica({ clock, random, ca, domain, tokens, parseCsr, rate: undefined }),
  );
  const record = new SimulationRecord(clock.nowMs, 2 * outageMs);
  const connect = (): Replica => replicas[Math.floor(random() * replicas.length)] ?? fail();
  const endsAtMs = clock.nowMs + outageMs;
  const all = Array.from({ length: proxies }, (_, index) => {
    const accountNumber = index % population.accounts.length;
    const account = population.accounts[accountNumber] ?? fail();
    const address = `10.0.0.${index % 250}`;
    const proxy = new SimulatedProxy(
      { clock, random, record, connect },
      { index, accountNumber, account, address, stubborn: false },
    );
    const leftMs = index < urgent ? urgentLeftMs : 3 * hour;
    proxy.resume(endsAtMs + leftMs * (0.8 + 0.4 * random()), random() * outageMs);
    return proxy;
  });
  ca.isAway = true;
  await clock.run(endsAtMs, signal);
  ca.isAway = false;
  let firstMs: number | undefined;
  const waiting = new Set(all.slice(0, urgent));
  while (waiting.size > 0 && record.expired === 0 && clock.nowMs < endsAtMs + hour) {
    await clock.run(clock.nowMs + 10, signal);
    if (record.given > 0) firstMs ??= clock.nowMs;
    for (const proxy of waiting) {
      proxy.look();
      if (proxy.goodUntilMs > endsAtMs + hour) waiting.delete(proxy);
    }
  }
  if (record.expired > 0 || firstMs === undefined)
    throw new Error('expected no certificate to expire, got some that did');
  return (clock.nowMs - firstMs) / 1_000;
}

function fail(): never {
  throw new RangeError('expected one of them');
}

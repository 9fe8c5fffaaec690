import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAuthorities } from '../../src/cli/demo/make-authorities.ts';
import { World } from '../../src/cli/demo/world.ts';
import type { BenchOptions, Comparison, Missing, Round } from '../part.ts';
import { Processes } from '../processes/processes.ts';
import { residentMegabytes } from '../processes/resident-megabytes.ts';
import { startHaproxyPair } from './haproxy-pair.ts';
import { kedgePorts, startKedgePair } from './kedge-pair.ts';
import { Load } from './load.ts';
import { makePairCertificates } from './pair-certificates.ts';

const connections = 9000;
/** Each connection takes two descriptors of each proxy, and some are for other things. */
const descriptors = 2 * connections + 500;
/** What has to settle after the connections were opened. */
const settleMs = 3000;

/** Resident memory of both proxies with connections that carried one message each and then nothing; new ones each round. */
export async function compareIdleConnections(
  { rounds, progress, signal }: BenchOptions,
  compiler: string,
  haproxy: string,
): Promise<Comparison | Missing> {
  const measure = `resident memory, ${connections} idle connections`;
  const limit = hardLimit();
  if (limit < descriptors)
    return {
      measure,
      lacks: `expected a limit of ${descriptors} open files, got ${limit}: ulimit -Hn ${descriptors}`,
    };
  const results: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${measure}, round ${round} of ${rounds}`);
    results.push(await measureOnce(signal, compiler, haproxy));
  }
  return { measure, against: 'haproxy', unit: 'MB', rounds: results, floor: { at: 'most', value: 2.8 } };
}

async function measureOnce(signal: AbortSignal, compiler: string, haproxy: string): Promise<Round> {
  const world = await World.create({ prefix: 'kedge-bench-', ports: kedgePorts, workloads: ['web', 'api'] });
  try {
    await makeAuthorities(world);
    await using processes = new Processes(signal);
    const load = await Load.build(processes, compiler, world.directory);
    const ours = await startKedgePair('kedge', world, processes, 'X25519');
    const peer = await startHaproxyPair(world, await makePairCertificates(world), processes, haproxy);
    const look = async (pids: readonly number[]): Promise<number> => {
      await sleep(settleMs, undefined, { signal });
      return pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
    };
    return {
      ours: await load.withIdle(ours, connections, () => look(ours.processIds)),
      peer: await load.withIdle(peer, connections, () => look(peer.processIds)),
    };
  } finally {
    world.remove();
  }
}

function hardLimit(): number {
  const hard = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  )?.[1];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}

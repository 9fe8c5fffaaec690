import { setTimeout as sleep } from 'node:timers/promises';
import { makeAuthorities } from '../../src/cli/demo/make-authorities.ts';
import { destinationProcess, identityProcess, proxyProcess } from '../../src/cli/demo/processes.ts';
import { World } from '../../src/cli/demo/world.ts';
import type { BenchOptions, BenchPart, Comparison, Round } from '../part.ts';
import { Processes } from '../processes/processes.ts';
import type { Started } from '../processes/processes.ts';
import { residentMegabytes } from '../processes/resident-megabytes.ts';
import { startBundled } from '../processes/start-bundled.ts';

/** How long everything is left alone before it is looked at. */
const idleMs = 10_000;

const names = ['proxy', 'identity', 'destination'] as const;
type Name = (typeof names)[number];

/** What each may be above bare Node, in MB; the others are only reported. */
const floors: Partial<Record<Name, number>> = { proxy: 45 };

/**
 * Resident memory of the three processes at rest beside a bare Node of the same binary. In each round all four are
 * started anew, from their bundles and with no V8 option; the proxy has its certificate and follows the lookup of one
 * target and the trust bundle. Nobody asks them for anything while they rest.
 */
export const idlePart: BenchPart = {
  name: 'idle',
  run: async (options) => {
    const rounds: Record<Name | 'bare', number>[] = [];
    for (let round = 1; round <= options.rounds; round += 1) {
      options.progress(`memory at rest, round ${round} of ${options.rounds}`);
      rounds.push(await measure(options));
    }
    return names.map((name) => comparison(name, rounds));
  },
};

function comparison(name: Name, rounds: readonly Record<Name | 'bare', number>[]): Comparison {
  const most = floors[name];
  return {
    measure: `resident memory of an idle ${name} process, bundled`,
    against: 'bare node',
    unit: 'MB',
    rounds: rounds.map((round): Round => ({ ours: round[name], peer: round.bare })),
    as: 'difference',
    ...(most !== undefined && { floor: { at: 'most', value: most } }),
  };
}

async function measure({ signal }: BenchOptions): Promise<Record<Name | 'bare', number>> {
  const world = await World.create({
    prefix: 'kedge-bench-',
    ports: ['inbound', 'outbound', 'admin', 'forward'],
    workloads: ['web'],
  });
  try {
    await using processes = new Processes(signal);
    const bare = processes.start('node', [process.execPath, '-e', 'setInterval(()=>{},1e9)']);
    const started = await startMesh(processes, world);
    await sleep(idleMs, undefined, { signal });
    for (const one of Object.values(started)) one.checkRunning();
    return {
      bare: residentMegabytes(bare.pid),
      proxy: residentMegabytes(started.proxy.pid),
      identity: residentMegabytes(started.identity.pid),
      destination: residentMegabytes(started.destination.pid),
    };
  } finally {
    world.remove();
  }
}

async function startMesh(
  processes: Processes,
  world: World<'inbound' | 'outbound' | 'admin' | 'forward'>,
): Promise<Record<Name, Started>> {
  await makeAuthorities(world);
  world.writeDestination('services: { shop/api: { ports: { "80": { endpoints: [] } } } }\n');
  const { inbound, outbound, admin, forward } = world.ports;
  const target = 'api.shop.svc.cluster.local:80';
  const plan = { name: 'web', inbound, outbound, admin, outboundForward: [[forward, target] as const] };
  const where = { processes, world };
  const identity = await startBundled(identityProcess(world), where);
  const destination = await startBundled(destinationProcess(world), where);
  const proxy = await startBundled(proxyProcess(world, plan), where);
  return { identity, destination, proxy };
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchOptions, BenchPart, Comparison, Round } from '../part.ts';
import { Processes } from '../processes/processes.ts';
import { makeMaterial } from './material.ts';
import { Side } from './side.ts';
import type { Delivery } from './side.ts';

const against = 'plain grpc-js, message by message';
/** Changes of each side before the first that is measured, and changes whose mean is a round. */
const warmUps = 4;
const changesInRound = 4;

interface Cell {
  readonly connections: number;
  readonly streams: number;
  /** Last delivery, against the peer. */
  readonly most?: number;
}

/**
 * One service of ten endpoints that thousands follow, each over mutual TLS, and a change of all ten: destination's own
 * service against grpc-js used in the plain way, with the same message, suite, group and subscribers. The server has
 * one core, the subscribers have the other one, and the last delivery includes their work, the same for both.
 */
export const fanOutPart: BenchPart = {
  name: 'fan-out',
  run: async (options) => {
    const streams = Math.min(5000, (await openFileLimit()) - 1000);
    const cells: Cell[] = [
      { connections: streams, streams: 1, most: 0.6 },
      { connections: 50, streams: 100 },
    ];
    const comparisons: Comparison[] = [];
    for (const cell of cells) comparisons.push(...(await measure(cell, options)));
    return comparisons;
  },
};

/** Node raises its own limit as far as it may. */
async function openFileLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

interface Pair<T> {
  readonly ours: T;
  readonly peer: T;
}

async function measure(cell: Cell, options: BenchOptions): Promise<Comparison[]> {
  const { progress, signal, rounds } = options;
  const name = nameOf(cell);
  const directory = await mkdtemp(path.join(tmpdir(), 'kedge-bench-'));
  try {
    await using processes = new Processes(signal);
    const common = { ...cell, processes, signal, directory, material: await makeMaterial() };
    progress(`${name}: connecting`);
    const ours = await Side.start({ ...common, server: 'kedge-server' });
    const peer = await Side.start({ ...common, server: 'plain-server' });
    progress(`${name}: warming up`);
    await changeBoth({ ours, peer }, warmUps);
    const deliveries: Pair<Delivery>[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      progress(`${name}, round ${round} of ${rounds}`);
      deliveries.push(await changeBoth({ ours, peer }, changesInRound));
    }
    return report(cell, deliveries, { ours: ours.kilobytesPerStream, peer: peer.kilobytesPerStream });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Changes both sides in turn, another one first each time, and gives the means. */
async function changeBoth(sides: Pair<Side>, times: number): Promise<Pair<Delivery>> {
  const ours: Delivery[] = [];
  const peer: Delivery[] = [];
  for (let time = 0; time < times; time += 1) {
    if (time % 2 === 1) peer.push(await sides.peer.change());
    ours.push(await sides.ours.change());
    if (time % 2 === 0) peer.push(await sides.peer.change());
    if (ours.at(-1)?.message !== peer.at(-1)?.message)
      throw new Error('expected both servers to send the same message');
  }
  return { ours: mean(ours), peer: mean(peer) };
}

/** Of numbers that belong together; their message is the last one. */
function mean(deliveries: readonly Delivery[]): Delivery {
  const of = (value: 'lastMs' | 'processorMs'): number =>
    deliveries.reduce((sum, delivery) => sum + delivery[value], 0) / deliveries.length;
  return { lastMs: of('lastMs'), processorMs: of('processorMs'), message: deliveries.at(-1)?.message ?? '' };
}

function report(cell: Cell, deliveries: readonly Pair<Delivery>[], kilobytes: Round): Comparison[] {
  const name = nameOf(cell);
  const pairs = (value: 'lastMs' | 'processorMs'): Round[] =>
    deliveries.map(({ ours, peer }) => ({ ours: ours[value], peer: peer[value] }));
  const floor = cell.most === undefined ? {} : { floor: { at: 'most' as const, value: cell.most } };
  return [
    { measure: `${name}, last delivery`, against, unit: 'ms', rounds: pairs('lastMs'), ...floor },
    { measure: `${name}, processor time of the server`, against, unit: 'ms', rounds: pairs('processorMs') },
    { measure: `${name}, memory of the server for a stream`, against, unit: 'KB', rounds: [kilobytes] },
  ];
}

function nameOf({ connections, streams }: Cell): string {
  const total = (connections * streams).toLocaleString('en');
  return streams === 1
    ? `one change to ${total} destination streams`
    : `one change to ${total} destination streams on ${connections} connections`;
}

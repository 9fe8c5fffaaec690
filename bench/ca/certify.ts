import { makeAuthorities } from '../../src/cli/demo/make-authorities.ts';
import { World } from '../../src/cli/demo/world.ts';
import type { BenchOptions, Comparison, Missing, Round } from '../part.ts';
import { findProgram } from '../processes/find-program.ts';
import { Processes } from '../processes/processes.ts';
import { processorSeconds } from '../processes/processor-seconds.ts';
import { startCfssl } from './cfssl-peer.ts';
import type { Contender } from './contender.ts';
import { h2load } from './h2load.ts';
import type { Load } from './h2load.ts';
import { startIdentity } from './identity-peer.ts';

/** Of one run; each connection gets as many. Takes some seconds. */
const requests = 6_400;

type Shape = Pick<Load, 'connections' | 'streams'>;

const shapes: readonly (Shape & { readonly name: string; readonly least?: number })[] = [
  { name: '64 connections of one call', connections: 64, streams: 1, least: 0.4 },
  { name: 'one connection of 64 calls', connections: 1, streams: 64 },
];

const measure = 'Certify over gRPC with the JWKS token check';

/**
 * The identity process against `cfssl serve`, each one process held to one core, the load on the other one. Every run
 * sends one request many times; neither side remembers anything of a request.
 */
export async function measureCertify(options: BenchOptions): Promise<(Comparison | Missing)[]> {
  const [load, cfssl] = [findProgram('h2load'), findProgram('cfssl')];
  if (load === undefined) return [{ measure, lacks: 'no h2load: apt-get install nghttp2-client' }];
  if (cfssl === undefined) return [{ measure, lacks: 'no cfssl: apt-get install golang-cfssl' }];
  const world = await World.create({ prefix: 'kedge-bench-', ports: [], workloads: ['web'] });
  try {
    await makeAuthorities(world);
    await using processes = new Processes(options.signal);
    const sides = {
      ours: await startIdentity(processes, world),
      peer: await startCfssl(processes, world, cfssl),
    };
    const run = (side: keyof typeof sides, shape: Shape): Promise<Result> =>
      runLoad(processes, load, sides[side], shape);
    const comparisons: Comparison[] = [];
    for (const shape of shapes) comparisons.push(...(await compare(shape, run, options)));
    return comparisons;
  } finally {
    world.remove();
  }
}

interface Result {
  readonly rate: number;
  /** Processor time of the server for one request, in microseconds. */
  readonly processorMicroseconds: number;
}

async function compare(
  shape: (typeof shapes)[number],
  run: (side: 'ours' | 'peer', shape: Shape) => Promise<Result>,
  { rounds, progress }: BenchOptions,
): Promise<Comparison[]> {
  const name = `${measure}, ${shape.name}`;
  const results: Record<'ours' | 'peer', Result>[] = [];
  // The first round warms both sides up.
  for (let round = 0; round <= rounds; round += 1) {
    progress(round === 0 ? `${name}, warming up` : `${name}, round ${round} of ${rounds}`);
    const first = round % 2 === 1 ? 'ours' : 'peer';
    const one = await run(first, shape);
    const other = await run(first === 'ours' ? 'peer' : 'ours', shape);
    if (round > 0) results.push(first === 'ours' ? { ours: one, peer: other } : { ours: other, peer: one });
  }
  const pairs = (value: keyof Result): Round[] =>
    results.map(({ ours, peer }) => ({ ours: ours[value], peer: peer[value] }));
  const against = 'cfssl sign, one core';
  const floor = shape.least === undefined ? {} : { floor: { at: 'least' as const, value: shape.least } };
  return [
    { measure: name, against, unit: 'req/s', rounds: pairs('rate'), ...floor },
    { measure: `${name}: processor time`, against, unit: 'µs/req', rounds: pairs('processorMicroseconds') },
  ];
}

async function runLoad(
  processes: Processes,
  program: string,
  { process, url, headers, bodyFile, prepare }: Contender,
  shape: Shape,
): Promise<Result> {
  const check = await prepare();
  const before = processorSeconds(process.pid);
  const rate = await h2load(processes, program, { url, headers, bodyFile, requests, ...shape });
  const spent = processorSeconds(process.pid) - before;
  process.checkRunning();
  await check(requests);
  return { rate, processorMicroseconds: (spent * 1e6) / requests };
}

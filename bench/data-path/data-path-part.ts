import { makeAuthorities } from '../../src/cli/demo/make-authorities.ts';
import { World } from '../../src/cli/demo/world.ts';
import type { BenchOptions, BenchPart, Comparison, Missing, Round } from '../part.ts';
import { findProgram } from '../processes/find-program.ts';
import { Processes } from '../processes/processes.ts';
import { checkHandshake } from './check-handshake.ts';
import { startHaproxyPair } from './haproxy-pair.ts';
import { compareIdleConnections } from './idle-connections.ts';
import { kedgePorts, startKedgePair } from './kedge-pair.ts';
import type { KedgeWorld } from './kedge-pair.ts';
import { Load } from './load.ts';
import type { Mode, Result } from './load.ts';
import { makePairCertificates } from './pair-certificates.ts';
import type { Pair } from './pair.ts';

/** The group that both pairs have, and the one that Kedge prefers. */
const plain = 'X25519';
const hybrid = 'X25519MLKEM768';

interface Test {
  readonly measure: string;
  readonly mode: Mode;
  readonly connections: number;
  readonly least?: number;
}

const tests: readonly Test[] = [
  { measure: 'bulk, 1 connection', mode: 'bulk', connections: 1, least: 0.55 },
  { measure: 'bulk, 8 connections', mode: 'bulk', connections: 8, least: 0.6 },
  { measure: 'bulk back to the client, 8 connections', mode: 'download', connections: 8 },
  { measure: '64-byte ping-pong, 64 connections', mode: 'ping', connections: 64, least: 0.4 },
  { measure: 'new connections, 16 at a time', mode: 'connect', connections: 16, least: 0.55 },
];

/** The proxy pair beside a pair of haproxy that does the same mutual TLS. */
export const dataPathPart: BenchPart = {
  name: 'data-path',
  run: async (options) => {
    const measure = 'the data path';
    const compiler = findProgram('cc');
    if (compiler === undefined)
      return [{ measure, lacks: 'no C compiler for the load: apt-get install gcc libc6-dev' }];
    const haproxy = findProgram('haproxy');
    if (haproxy === undefined) return [{ measure, lacks: 'no haproxy: apt-get install haproxy' }];
    const busy = await compareBusy(options, compiler, haproxy);
    return [...busy, await compareIdleConnections(options, compiler, haproxy)];
  },
};

/** All pairs stand for the whole time; in each round every test runs on each of them, one right after the other. */
async function compareBusy(
  { rounds, progress, signal }: BenchOptions,
  compiler: string,
  haproxy: string,
): Promise<(Comparison | Missing)[]> {
  const worlds = [await createWorld(), await createWorld()];
  try {
    await using processes = new Processes(signal);
    const [first, second] = worlds as [KedgeWorld, KedgeWorld];
    for (const world of worlds) await makeAuthorities(world);
    const ours = await startKedgePair('kedge', first, processes, plain);
    const oursHybrid = await startKedgePair('kedge, hybrid', second, processes, hybrid);
    const files = [await makePairCertificates(first), await makePairCertificates(second)] as const;
    const peer = await startHaproxyPair(first, files[0], processes, haproxy);
    await checkHandshake(first, files[0], { port: first.ports.apiInbound, group: plain });
    await checkHandshake(second, files[1], { port: second.ports.apiInbound, group: hybrid });
    await checkHandshake(first, files[0], { port: peer.inboundPort, group: plain });
    const load = await Load.build(processes, compiler, first.directory);
    const results = new Map<string, Result[]>();
    for (let round = 0; round <= rounds; round += 1) {
      for (const test of tests) {
        progress(`${test.measure}, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
        const pairs = test.mode === 'connect' ? [ours, oursHybrid, peer] : [ours, peer];
        for (const pair of round % 2 === 0 ? pairs : pairs.toReversed()) {
          const result = await load.run(pair, test.mode, test.connections);
          if (round > 0) results.set(key(test, pair), [...(results.get(key(test, pair)) ?? []), result]);
        }
      }
    }
    const of = (test: Test, pair: Pair): Result[] => results.get(key(test, pair)) ?? [];
    return tests.flatMap((test) => [
      ...comparisons(test, of(test, ours), of(test, peer)),
      ...(test.mode === 'connect' ? comparisons(hybridOf(test), of(test, oursHybrid), of(test, peer)) : []),
    ]);
  } finally {
    for (const world of worlds) world.remove();
  }
}

function createWorld(): Promise<KedgeWorld> {
  return World.create({ prefix: 'kedge-bench-', ports: kedgePorts, workloads: ['web', 'api'] });
}

/** haproxy has no such group where its OpenSSL is older than 3.5, so this is reported and has no floor. */
function hybridOf({ measure, mode, connections }: Test): Test {
  return { measure: `${measure}, hybrid group`, mode, connections };
}

function key({ measure }: Test, { name }: Pair): string {
  return `${name}: ${measure}`;
}

function comparisons({ measure, mode, least }: Test, ours: Result[], peer: Result[]): Comparison[] {
  const bytes = mode === 'bulk' || mode === 'download';
  const pairs = (value: (result: Result) => number): Round[] =>
    ours.map((result, at) => ({ ours: value(result), peer: peer[at] === undefined ? NaN : value(peer[at]) }));
  const against = 'haproxy';
  const rate: Comparison = {
    measure,
    against,
    unit: bytes ? 'MB/s' : '1/s',
    rounds: pairs((result) => (bytes ? result.bytesPerSecond / 1e6 : result.operationsPerSecond)),
    ...(least !== undefined && { floor: { at: 'least', value: least } }),
  };
  const processor: Comparison = {
    measure: `${measure}: processor time`,
    against,
    unit: bytes ? 's/GB' : 'µs',
    rounds: pairs(({ processorSecondsPerByte, processorSecondsPerOperation }) =>
      bytes ? processorSecondsPerByte * 1e9 : processorSecondsPerOperation * 1e6,
    ),
  };
  if (bytes) return [rate, processor];
  const slowest: Comparison = {
    measure: `${measure}: 99th percentile`,
    against,
    unit: 'µs',
    rounds: pairs(({ p99 }) => p99),
  };
  return [rate, processor, slowest];
}

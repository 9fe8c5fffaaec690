import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { get } from '../../src/cli/demo/get.ts';
import { makeAuthorities } from '../../src/cli/demo/make-authorities.ts';
import { destinationProcess } from '../../src/cli/demo/processes.ts';
import { World } from '../../src/cli/demo/world.ts';
import { kubernetesProgram } from '../../test/cluster/binaries/kubernetes.ts';
import { TestCluster } from '../../test/cluster/test-cluster.ts';
import { whatIsMissing } from '../../test/cluster/what-is-missing.ts';
import type { BenchOptions, BenchPart, Comparison, Round } from '../part.ts';
import { Processes } from '../processes/processes.ts';
import { residentMegabytes } from '../processes/resident-megabytes.ts';
import { startUnready } from '../processes/start-bundled.ts';
import { podsEach, populate, serviceCount } from './populate.ts';

const crowd = `${serviceCount} services with ${serviceCount * podsEach} pods`;
/** What destination follows, and so what kubectl is asked for. */
const kinds = ['services', 'endpointslices', 'pods', 'nodes', 'namespaces'];
const restMs = 5_000;
const patienceMs = 120_000;

interface Measured {
  readonly seconds: Round;
  readonly megabytes: Round;
}

/**
 * The destination process, from its bundle and with a kubeconfig, on a real API server that is full: how long from its
 * start until everything has been seen, beside kubectl that prints the same lists as JSON; and its resident memory then,
 * beside a bare Node.
 */
export const kubernetesPart: BenchPart = {
  name: 'kubernetes',
  run: async (options) => {
    const lacks = whatIsMissing();
    if (lacks !== undefined) return [{ measure: `sync of ${crowd}`, lacks }];
    const cluster = new TestCluster();
    try {
      options.progress('starting an API server');
      await cluster.start();
      options.progress(`creating ${crowd}`);
      await populate(cluster, options.signal);
      const measured: Measured[] = [];
      for (let round = 1; round <= options.rounds; round += 1) {
        options.progress(`sync, round ${round} of ${options.rounds}`);
        measured.push(await measure(cluster, options));
      }
      return comparisons(measured);
    } finally {
      await cluster.end();
    }
  },
};

function comparisons(measured: readonly Measured[]): Comparison[] {
  return [
    {
      measure: `sync of ${crowd}, from the start of the process`,
      against: 'kubectl get -o json',
      unit: 's',
      rounds: measured.map(({ seconds }) => seconds),
      floor: { at: 'most', value: 1.5 },
    },
    {
      measure: `resident memory of destination with ${crowd}`,
      against: 'bare node',
      unit: 'MB',
      rounds: measured.map(({ megabytes }) => megabytes),
      as: 'difference',
      floor: { at: 'most', value: 200 },
    },
  ];
}

async function measure(cluster: TestCluster, { signal }: BenchOptions): Promise<Measured> {
  const world = await World.create({ prefix: 'kedge-bench-', ports: [], workloads: [] });
  try {
    await makeAuthorities(world);
    await using processes = new Processes(signal);
    const bare = processes.start('node', [process.execPath, '-e', 'setInterval(()=>{},1e9)']);
    const peer = await timeKubectl(cluster, processes);
    const from = performance.now();
    const destination = startUnready(
      destinationProcess(world, {
        KEDGE_DESTINATION_SOURCE: 'kubernetes',
        KEDGE_KUBECONFIG: cluster.kubeconfig,
      }),
      { processes, world },
    );
    while (!(await isSynced(world.ports.destinationAdmin))) {
      destination.checkRunning();
      if (performance.now() - from > patienceMs)
        throw new Error(`expected a sync within ${patienceMs / 1000} s`);
      await sleep(10);
    }
    const ours = (performance.now() - from) / 1000;
    await sleep(restMs, undefined, { signal });
    const megabytes = { ours: residentMegabytes(destination.pid), peer: residentMegabytes(bare.pid) };
    return { seconds: { ours, peer }, megabytes };
  } finally {
    world.remove();
  }
}

async function timeKubectl(cluster: TestCluster, processes: Processes): Promise<number> {
  const from = performance.now();
  const kubectl = kubernetesProgram(cluster.version, 'kubectl');
  const words = [
    kubectl,
    `--kubeconfig=${cluster.kubeconfig}`,
    'get',
    kinds.join(),
    '--all-namespaces',
    '--output=json',
  ];
  const { process: child } = processes.start('kubectl', words);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`expected kubectl to end with 0, it ended with ${code ?? 'a signal'}`);
  return (performance.now() - from) / 1000;
}

/** Told by its metrics: ready it never is, for here nobody gives it a certificate, and no rules of policy are there. */
async function isSynced(port: number): Promise<boolean> {
  const answer = await get(port, '/metrics', { timeoutMs: 1000 }).catch(() => undefined);
  return kinds.every((kind) => answer?.body.includes(`kedge_kube_synced{resource="${kind}"} 1\n`) ?? false);
}

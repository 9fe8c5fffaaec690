import { buildGo } from './binaries/go-build.ts';
import type { GoBuild } from './binaries/go-build.ts';
import { kubernetesBuild } from './binaries/kubernetes.ts';
import type { Progress } from './binaries/progress.ts';
import type { ControlPlaneSpec } from './control-plane-commands.ts';
import { ControlPlane } from './control-plane.ts';
import { coreDns, helm } from './node/go-programs.ts';
import { createNetwork } from './node/network.ts';
import { nodeFile } from './node/node-directory.ts';
import { startNode } from './node/start-node.ts';
import { loopback } from './place.ts';
import type { StateDirectory } from './state-directory.ts';
import { unusedPorts } from './unused-ports.ts';

export interface ClusterWish {
  /** Of Kubernetes, a pinned one. */
  readonly version: string;
  /** With a node, which needs root; without, an API server that knows no pod's address but what it is told. */
  readonly node: boolean;
}

/** Ports in a network of the cluster's own. */
const usualPorts = { api: 6443, etcd: 2379, etcdPeer: 2380 } as const;

/** Builds what a cluster needs and is not yet there: once, and for minutes. */
export async function buildPrograms(wish: ClusterWish, progress: Progress): Promise<void> {
  for (const build of buildsFor(wish)) await buildGo(build, progress);
}

/** The programs of a cluster, helm among them: it installs Kedge wherever there is an API server. */
export function buildsFor({ version, node }: ClusterWish): readonly GoBuild[] {
  return [kubernetesBuild(version, node ? 'node' : 'api-only'), helm, ...(node ? [coreDns] : [])];
}

export interface StartOptions {
  /** Hears what is there. */
  readonly say?: (line: string) => void;
  /** Further arguments of kube-apiserver, the last one of a name counts. */
  readonly apiServerArgs?: readonly string[];
}

/** Starts a cluster of built programs in a state directory that was just made. */
export async function startCluster(
  { version, node }: ClusterWish,
  state: StateDirectory,
  { say = () => undefined, apiServerArgs = [] }: StartOptions = {},
): Promise<ControlPlane> {
  const spec: ControlPlaneSpec = {
    version,
    node,
    place: node ? await createNetwork(nodeFile(state, 'network')) : loopback,
    ports: node ? usualPorts : await portsHere(),
    apiServerArgs,
  };
  const plane = await ControlPlane.create(spec, state, say);
  if (!node) return plane;
  await startNode(plane);
  say('node');
  return plane;
}

/** Ports of this machine's own network, where others may run too. */
async function portsHere(): Promise<ControlPlaneSpec['ports']> {
  const [api = 0, etcd = 0, etcdPeer = 0] = await unusedPorts(3);
  return { api, etcd, etcdPeer };
}

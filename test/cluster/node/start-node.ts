import { existsSync } from 'node:fs';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import type { ControlPlane } from '../control-plane.ts';
import { ctr, startContainerd } from './containerd.ts';
import { startCoreDns } from './core-dns.ts';
import { startKubeProxy } from './kube-proxy.ts';
import { nodeName, startKubelet } from './kubelet.ts';
import { nodeDirectory } from './node-directory.ts';
import { buildPauseImage } from './pause-image.ts';
import { weighPods } from './pod-weight.ts';
import { startScheduler } from './scheduler.ts';

/**
 * Starts everything of a node beside a control plane that runs in a network of `createNetwork`: containerd, scheduler, kubelet,
 * kube-proxy and CoreDNS. Gives back when the node is ready; `stopNode` ends it, also what a failure here has left.
 */
export async function startNode(plane: ControlPlane): Promise<void> {
  weighPods();
  await startContainerd(plane);
  await ctr(nodeDirectory(plane.state), ['images', 'import', await pauseArchive()]);
  startScheduler(plane);
  const kubelet = startKubelet(plane);
  startKubeProxy(plane);
  await startCoreDns(plane);
  await kubelet.ready(() => expectReady(plane));
}

interface NodeStatus {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

async function expectReady({ api }: ControlPlane): Promise<void> {
  const { status } = await api.expect<NodeStatus>(`/api/v1/nodes/${nodeName}`);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True')
    throw new Error(`expected the node to be ready, got ${JSON.stringify(ready)}`);
}

async function pauseArchive(): Promise<string> {
  const archive = cacheDirectory('images', 'pause.tar');
  if (!existsSync(archive)) await buildPauseImage(archive);
  return archive;
}

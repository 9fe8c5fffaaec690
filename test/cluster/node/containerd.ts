import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ControlPlane } from '../control-plane.ts';
import { nodeDirectory } from './node-directory.ts';
import { pauseImage } from './pause-image.ts';
import { writePodNetwork } from './pod-network.ts';
import { run } from './run.ts';

/** Where the containerd of a node answers. */
export function containerdSocket(directory: string): string {
  return path.join(directory, 'containerd.sock');
}

/** Where containerd holds what lives only while it runs: mounts of the containers and of their network namespaces. */
export function containerdState(directory: string): string {
  return path.join(directory, 'containerd-state');
}

/** Starts a containerd that shares nothing with one of the machine's own, and waits until it answers. */
export async function startContainerd(plane: ControlPlane): Promise<void> {
  const directory = nodeDirectory(plane.state);
  writePodNetwork(directory);
  const config = path.join(directory, 'containerd.toml');
  writeFileSync(config, configuration(directory));
  const containerd = plane.start({ name: 'containerd', words: ['containerd', '--config', config] });
  await containerd.ready(() => ctr(directory, ['images', 'list', '--quiet']));
}

/** Runs `ctr` on the images and containers of the node's pods. */
export function ctr(directory: string, args: readonly string[]): Promise<string> {
  return run(['ctr', '--address', containerdSocket(directory), '--namespace', 'k8s.io', ...args]);
}

const configuration = (directory: string): string => `version = 2
root = "${path.join(directory, 'containerd')}"
state = "${containerdState(directory)}"

[grpc]
  address = "${containerdSocket(directory)}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${path.join(directory, 'containerd', 'opt')}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  netns_mounts_under_state_dir = true
  # Root in a container or a small virtual machine may lack CAP_SYS_RESOURCE, and then no score may be lowered.
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${path.join(directory, 'cni')}"
`;

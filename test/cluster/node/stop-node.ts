import { globSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { containerdState } from './containerd.ts';
import { endInhabitants } from './inhabitants.ts';
import type { StateDirectory } from '../state-directory.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';

/**
 * Ends everything in a cluster's network and removes what its node has left on the machine. Needs nothing but the cluster's
 * directory, so it works as well after a crash, and it does nothing where there is no node.
 */
export async function stopNode(state: StateDirectory): Promise<void> {
  const directory = state.file('node');
  const namespaces = mountsBelow(directory).filter(({ type }) => type === 'nsfs');
  await endInhabitants(namespaces.map(({ point }) => point));
  const containers = globSync('*', {
    cwd: path.join(containerdState(directory), 'io.containerd.runtime.v2.task', 'k8s.io'),
  });
  await unmountBelow(directory);
  for (const container of containers) {
    // runc makes a group for each container, and a plugin of the network keeps a note.
    for (const group of globSync(`/sys/fs/cgroup/**/k8s.io/${container}`)) rmdirSync(group);
    for (const note of globSync(`/var/lib/cni/*/*${container}*`)) rmSync(note);
  }
  rmSync(directory, { recursive: true, force: true });
}

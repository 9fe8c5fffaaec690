import { globSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { containerdState } from './containerd.ts';
import { podGroups } from './pod-weight.ts';

/** What a container leaves outside of its node's directory when it is ended from outside. */
export interface Trace {
  readonly path: string;
  remove(): void;
}

/** Every such trace of the node in a directory; to be asked for before the directory is unmounted and removed. */
export function tracesOf(directory: string): Trace[] {
  const bundles = globSync(
    path.join(containerdState(directory), 'io.containerd.runtime.v2.task', 'k8s.io', '*'),
  );
  return [
    ...bundles.flatMap(tracesOfContainer),
    ...globSync(podGroups).map(sharedGroup),
    ...logLinks(directory),
  ];
}

function tracesOfContainer(bundle: string): Trace[] {
  const id = path.basename(bundle);
  const groups = globSync([`/sys/fs/cgroup/k8s.io/${id}`, `${podGroups}/${id}`]);
  return [
    ...groups.map((group) => ({ path: group, remove: () => rmdirSync(group) })),
    // Notes of the plugins that gave the pod its network, runc's own, and the socket of what stood between it and containerd.
    ...globSync(`/var/lib/cni/results/*-${id}-*`).map(plain),
    plain(`/run/containerd/runc/k8s.io/${id}`),
    ...shimSocket(bundle).map(plain),
  ];
}

/** Stays while another node has pods in it. */
const sharedGroup = (group: string): Trace => ({
  path: group,
  remove: () => {
    try {
      rmdirSync(group);
    } catch {
      // It is in use, or gone.
    }
  },
});

function shimSocket(bundle: string): string[] {
  try {
    return [readFileSync(path.join(bundle, 'address'), 'utf8').replace(/^unix:\/\//, '')];
  } catch {
    return [];
  }
}

/** The kubelet puts links to the logs of all containers into one place of the machine. */
function logLinks(directory: string): Trace[] {
  return globSync('/var/log/containers/*.log')
    .filter((link) => readlinkSync(link).startsWith(path.join(directory, path.sep)))
    .map(plain);
}

const plain = (file: string): Trace => ({
  path: file,
  remove: () => rmSync(file, { recursive: true, force: true }),
});

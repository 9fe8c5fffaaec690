import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where containerd puts the control groups of all pods, below each hierarchy of the first version of cgroups. */
export const podGroups = '/sys/fs/cgroup/*/k8s.io';

/** As much as so many processes outside. */
const weight = 20;

/**
 * Lets the pods have processor time on a busy machine. One that asks for no share weighs a five-hundredth of a process
 * outside, and beside compilers and tests it would not even get through a handshake in time; among each other, pods weigh what
 * they ask for. Does nothing where cgroups are of the second version.
 */
export function weighPods(): void {
  const group = path.join('/sys/fs/cgroup/cpu', 'k8s.io');
  try {
    mkdirSync(group, { recursive: true });
    writeFileSync(path.join(group, 'cpu.shares'), String(weight * 1024));
  } catch {
    // No such hierarchy.
  }
}

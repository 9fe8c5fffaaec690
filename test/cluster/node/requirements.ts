import { existsSync } from 'node:fs';
import { findProgram, Missing } from '../missing.ts';

/** Programs that a node and its images are made with, and the packages of Debian that have them. */
const programs = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  sysctl: 'procps',
  buildah: 'buildah',
  debootstrap: 'debootstrap',
};

/** Throws `Missing` with everything that this machine lacks for a node, and how to get it, in one line. */
export function requireNode(): void {
  if (process.platform !== 'linux') throw new Missing('a node needs Linux');
  if (process.getuid?.() !== 0)
    throw new Missing('a node needs root: run it with sudo, or in a virtual machine');
  const lacking = Object.entries(programs).filter(
    ([name]) => findProgram(name, ['/usr/sbin', '/sbin']) === undefined,
  );
  const packages = new Set(lacking.map(([, name]) => name));
  if (!existsSync('/usr/lib/cni/bridge')) packages.add('containernetworking-plugins');
  if (packages.size === 0) return;
  throw new Missing(`a node needs programs that are not here: apt-get install -y ${[...packages].join(' ')}`);
}

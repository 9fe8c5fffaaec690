import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Component } from '../component.ts';
import type { ControlPlane } from '../control-plane.ts';
import { containerdSocket } from './containerd.ts';
import { addresses } from './network.ts';
import { nodeDirectory } from './node-directory.ts';

/** The name of the node. */
export const nodeName = 'node1';

/** Starts the kubelet; the node is ready some seconds later. */
export function startKubelet(plane: ControlPlane): Component {
  const directory = nodeDirectory(plane.state);
  const config = path.join(directory, 'kubelet.json');
  const resolver = path.join(directory, 'resolv.conf');
  writeFileSync(resolver, 'nameserver 127.0.0.1\n');
  writeFileSync(config, JSON.stringify(configuration(plane, { directory, resolver }), null, 2));
  return plane.start({
    name: 'kubelet',
    words: [
      plane.program('kubelet'),
      `--config=${config}`,
      `--kubeconfig=${plane.kubeconfig('kubelet')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${plane.spec.place.address}`,
      `--root-dir=${path.join(directory, 'kubelet')}`,
      `--cert-dir=${path.join(directory, 'kubelet-certificates')}`,
    ],
  });
}

interface Files {
  readonly directory: string;
  readonly resolver: string;
}

const configuration = ({ caFile }: ControlPlane, { directory, resolver }: Files) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: caFile },
  },
  // Only the API server has a certificate of that authority.
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${containerdSocket(directory)}`,
  clusterDNS: [addresses.dns],
  clusterDomain: 'cluster.local',
  resolvConf: resolver,
  podLogsDir: path.join(directory, 'pod-logs'),
  failSwapOn: false,
  // Machines with the first version of cgroups, and without a systemd that keeps them.
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupsPerQOS: false,
  enforceNodeAllocatable: [],
  localStorageCapacityIsolation: false,
  // A machine that is short of space or memory still runs its tests.
  evictionHard: {
    'memory.available': '0%',
    'nodefs.available': '0%',
    'imagefs.available': '0%',
    'nodefs.inodesFree': '0%',
  },
  imageGCHighThresholdPercent: 100,
});

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { addresses } from './network.ts';

/** Writes how pods get their addresses: each hangs on a bridge of the node's network. */
export function writePodNetwork(directory: string): void {
  const folder = path.join(directory, 'cni');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, '10-pods.conflist'), JSON.stringify(podNetwork(directory), null, 2));
}

const podNetwork = (directory: string) => ({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods',
      isGateway: true,
      // A pod that reaches itself through a Service needs its packets turned round.
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: path.join(directory, 'pod-addresses'),
        ranges: [[{ subnet: addresses.podsOfNode }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

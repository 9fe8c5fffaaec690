import { writeFileSync } from 'node:fs';
import type { ControlPlane } from '../control-plane.ts';
import { nodeName } from './kubelet.ts';
import { addresses } from './network.ts';
import { nodeFile } from './node-directory.ts';

/** Starts what makes the addresses of Services lead to their pods. */
export function startKubeProxy(plane: ControlPlane): void {
  const config = nodeFile(plane.state, 'kube-proxy.json');
  writeFileSync(config, JSON.stringify(configuration(plane.kubeconfig('kube-proxy')), null, 2));
  plane.start({ name: 'kube-proxy', words: [plane.program('kube-proxy'), `--config=${config}`] });
}

const configuration = (kubeconfig: string) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'iptables',
  clusterCIDR: addresses.pods,
  hostnameOverride: nodeName,
  clientConnection: { kubeconfig },
  // The limits of connection tracking are the machine's own.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});

import { writeFileSync } from 'node:fs';
import type { ControlPlane } from '../control-plane.ts';
import { coreDns, programOf } from './go-programs.ts';
import { addresses } from './network.ts';
import { nodeFile } from './node-directory.ts';

/** Starts the cluster's name server as a process of the node, and the Service by whose address alone pods know it. */
export async function startCoreDns(plane: ControlPlane): Promise<void> {
  const { address } = plane.spec.place;
  const config = nodeFile(plane.state, 'Corefile');
  writeFileSync(config, configuration(address, plane.kubeconfig('admin')));
  plane.start({ name: 'coredns', words: [programOf(coreDns), '-conf', config] });
  await plane.api.expect('/api/v1/namespaces/kube-system/services', { method: 'POST', body: service });
  await plane.api.expect('/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
    method: 'POST',
    body: slice(address),
  });
}

const configuration = (address: string, kubeconfig: string): string => `.:53 {
  bind ${address}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 5
  }
}
`;

const ports = [
  { name: 'dns', protocol: 'UDP', port: 53 },
  { name: 'dns-tcp', protocol: 'TCP', port: 53 },
];

const metadata = { namespace: 'kube-system', name: 'kube-dns' };

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { clusterIP: addresses.dns, ports },
};

/** The name server is no pod, so a slice written by hand says where it is. */
const slice = (address: string) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports,
});

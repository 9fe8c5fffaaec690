import { onKubernetes } from '../on-kubernetes.ts';
import { installKedge } from './install-kedge.ts';
import { probeTests } from './probes/probe-tests.ts';
import { shopTests } from './shop/shop-tests.ts';

onKubernetes(
  'Kedge on a node, installed from its chart',
  (cluster) => {
    beforeAll(() => installKedge(cluster), 600_000);

    describe('a mesh', () => shopTests(cluster));
    describe('probes of the kubelet through a sidecar', () => probeTests(cluster));
  },
  { node: true },
);

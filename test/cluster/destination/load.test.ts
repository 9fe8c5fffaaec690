import { onKubernetesWithHelm } from '../chart/on-kubernetes-with-helm.ts';
import { processTests } from './load/process-tests.ts';
import { scaleTests } from './load/scale-tests.ts';
import { stormTests } from './load/storm-tests.ts';

/** What must stand a lot shares an API server; who needs it empty comes first, and who fills it last. */
onKubernetesWithHelm('destination under load', (cluster) => {
  describe('a storm of EndpointSlices', () => stormTests(cluster));
  describe('two destination processes', () => processTests(cluster));
  describe('destination with a thousand services and ten thousand pods', () => scaleTests(cluster));
});

import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { nodes, Town } from '../support/town.ts';

const onNode = (nodeName: string) => JSON.stringify({ ns: 'shop', nodeName });

/** What a client is told depends on where it is. */
export function placeTests(cluster: TestCluster, served: () => ServedDestination): void {
  /** A pod of `web` on each node, and one that asks, on the second. */
  const inhabited = async (name: string, network: number) => {
    const town = await Town.create(cluster, name, network);
    await town.pod('web-1', 1);
    await town.pod('web-2', 2, { node: 'n2' });
    await town.pod('client', 3, { node: 'n2', labels: { app: 'client' } });
    // Where a client is is looked up when it asks.
    await served().known(`${town.ip(3)}:80`);
    const [a, b] = [`${town.ip(1)}:8080`, `${town.ip(2)}:8080`];
    const byPod = `${JSON.stringify({ ns: town.name, pod: 'client' })}\n`;
    /** From the first node, from the pod on the second, and from nowhere. */
    const follow = (path: string) =>
      [onNode('n1'), byPod, ''].map((token) => served().endpoints(`${path}.${town.name}:80`, token));
    return { town, a, b, byPod, follow };
  };

  it('tells the zone of each endpoint, and how far it is from the node or pod that the context token names', async () => {
    const { town, a, b, byPod, follow } = await inhabited('zones', 31);
    await town.service('web');
    const streams = follow('web');
    const far = (key: string) =>
      streams
        .map((stream) => stream.at(key)?.metricLabels)
        .map((labels) => [labels?.['zone'], labels?.['zone_locality']]);
    const [first, second] = [nodes.n1.zone, nodes.n2.zone];
    await eventually(() => {
      expect(far(a)).toEqual([
        [first, 'local'],
        [first, 'remote'],
        [first, 'unknown'],
      ]);
      expect(far(b)).toEqual([
        [second, 'remote'],
        [second, 'local'],
        [second, 'unknown'],
      ]);
    });
    const profile = served().profile(b, byPod);
    await eventually(() => expect(profile.last?.endpoint?.metricLabels['zone_locality']).toBe('local'));
    // A token names a pod of its own namespace, and not one of the same name elsewhere.
    const stranger = served().profile(b, JSON.stringify({ ns: 'default', pod: 'client' }));
    await eventually(() => expect(stranger.last?.endpoint?.metricLabels['zone_locality']).toBe('unknown'));
  });

  const close = (trafficDistribution: string | null) => ({ spec: { trafficDistribution } });
  const topology = (mode: string | null) => ({
    metadata: { annotations: { 'service.kubernetes.io/topology-mode': mode } },
  });

  it.each([
    ['close', 32, close('PreferClose'), close(null)],
    ['balanced', 33, topology('Auto'), topology(null)],
  ])(
    'gives a client what is for its zone where traffic is to stay %s, and all again later',
    async (how, network, wish, none) => {
      const { town, a, b, follow } = await inhabited(`hints-${how}`, network);
      await town.service('web');
      const streams = follow('web');
      const expectKeys = (...expected: string[][]) =>
        eventually(() => expect(streams.map(({ keys }) => keys)).toEqual(expected));
      const all = [a, b];
      await expectKeys(all, all, all);
      await town.patch('Service', 'web', wish);
      await expectKeys([a], [b], all);
      await town.patch('Service', 'web', none);
      await expectKeys(all, all, all);
    },
  );

  // Earlier versions know no such wish.
  const fromMinor34 = Number(cluster.version.split('.')[1]) >= 34 ? it : it.skip;

  fromMinor34(
    'gives a client what is for its node where traffic is to stay there, and else what is for its zone',
    async () => {
      const { town, a, b, follow } = await inhabited('hints-node', 34);
      await town.pod('web-3', 4, { node: 'n3' });
      await town.service('web', { trafficDistribution: 'PreferSameNode' });
      const streams = follow('web');
      const c = `${town.ip(4)}:8080`;
      const expectKeys = (...expected: string[][]) =>
        eventually(() => expect(streams.map(({ keys }) => keys)).toEqual(expected));
      await expectKeys([a], [b], [a, b, c]);
      await town.delete('Pod', 'web-2');
      await expectKeys([a], [c], [a, c]);
    },
  );

  it('gives a client the endpoints on its own node where traffic is to stay there, those that end where they are all', async () => {
    const { town, a, b, follow } = await inhabited('local', 35);
    await town.service('web', { internalTrafficPolicy: 'Local' });
    const streams = follow('web');
    const expectKeys = (...expected: string[][]) =>
      eventually(() => {
        expect(streams.map(({ keys }) => keys)).toEqual(expected);
        expect(streams.map(({ exists }) => exists)).toEqual([true, true, true]);
      });
    await expectKeys([a], [b], []);
    await town.delete('Pod', 'web-1', 60);
    await town.pod('web-3', 4, { node: 'n2' });
    const c = `${town.ip(4)}:8080`;
    await expectKeys([a], [b, c], []);
    await town.delete('Pod', 'web-2', 60);
    await expectKeys([a], [c], []);
    await town.delete('Pod', 'web-1');
    await expectKeys([], [c], []);
  });
}

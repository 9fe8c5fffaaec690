import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import { FollowedEndpoints } from './support/follow-endpoints.ts';
import { listedEndpoints } from './support/listed.ts';
import { address, create, each, pod, service, slice } from './support/objects.ts';

const services = 1_000;
const podsEach = 10;
/** Far longer than it takes where nothing else runs. */
const withinMs = 600_000;

onKubernetes('destination with a thousand services and ten thousand pods', (cluster) => {
  it(
    'has exactly the endpoints that the API server lists, whether it saw them come or found them there',
    async () => {
      const namespace = await cluster.createNamespace('crowd');
      using followed = new FollowedEndpoints(await cluster.client());
      await followed.synced();
      const watched = Array.from({ length: 100 }, (_, i) => followed.endpoints(`s${i}.${namespace}:80`));
      await each([...Array(services).keys()], 16, async (i) => {
        const members = Array.from({ length: podsEach }, (_, k) => ({
          address: address(i * podsEach + k + 1),
          pod: `s${i}-${k}`,
        }));
        await create(cluster, 'Service', namespace, service(`s${i}`));
        await create(cluster, 'EndpointSlice', namespace, slice(`s${i}`, `s${i}`, members));
        for (const member of members) await create(cluster, 'Pod', namespace, pod(member.pod));
      });
      const listed = await listedEndpoints(cluster, namespace);
      expect(listed.size).toBe(services);
      await eventually(() => {
        for (const [path, expected] of listed) expect(followed.now(path)).toEqual(expected);
      });
      for (const [i, watch] of watched.entries()) {
        const { endpoints } = watch.state.value!;
        expect([...endpoints.keys()].sort()).toEqual(listed.get(`s${i}.${namespace}:80`));
        watch.close();
      }
      using late = new FollowedEndpoints(await cluster.client());
      await late.synced();
      for (const [path, expected] of listed) expect(late.now(path)).toEqual(expected);
    },
    withinMs,
  );
});

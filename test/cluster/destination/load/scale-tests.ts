import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { DestinationPlane } from '../support/destination-plane.ts';
import { FollowedEndpoints } from '../support/follow-endpoints.ts';
import { listedEndpoints, listedNames } from '../support/listed.ts';
import { address, create, each, pod, service, slice } from '../support/objects.ts';
import { PeakMemory } from '../support/peak-memory.ts';
import { Watcher } from '../support/watcher.ts';

const services = 1_000;
const podsEach = 10;
/** Far longer than it takes where nothing else runs. */
const withinMs = 600_000;
/**
 * A process out of sources takes some 180 MB, and what is read meanwhile some 50 MB of garbage; what comes faster than it is read
 * waits at the API server. The chart grants 768 MB.
 */
const mostResident = 400;
/** After a collection it is some 57 MB with nothing to follow and 16 MB more with this much; whole objects would be 60 MB more. */
const mostHeld = 110;

/** A thousand Services with ten thousand pods. */
export function scaleTests(cluster: TestCluster): void {
  it(
    'has exactly the endpoints that the API server lists, whether it saw them come or found them there',
    async () => {
      await using plane = await DestinationPlane.install(cluster);
      const replica = await plane.start();
      await eventually(async () => expect(await replica.ready()).toBe('200 ready\n'));
      const namespace = await cluster.createNamespace('crowd');
      using followed = new FollowedEndpoints(await cluster.client());
      await followed.synced();
      const watched = Array.from({ length: 100 }, (_, i) => followed.endpoints(`s${i}.${namespace}:80`));
      await using streams = new AsyncDisposableStack();
      const channel = await plane.connect(replica);
      const watchers = watched.map((_, i) => streams.use(new Watcher(channel, `s${i}.${namespace}:80`)));
      await using memory = new PeakMemory(replica);
      const beganAt = performance.now();
      await each([...Array(services).keys()], 16, async (i) => {
        const members = Array.from({ length: podsEach }, (_, k) => ({
          address: address(i * podsEach + k + 1),
          pod: `s${i}-${k}`,
        }));
        await create(cluster, 'Service', namespace, service(`s${i}`));
        await create(cluster, 'EndpointSlice', namespace, slice(`s${i}`, `s${i}`, members));
        for (const member of members) await create(cluster, 'Pod', namespace, pod(member.pod));
      });
      const seconds = Math.round((performance.now() - beganAt) / 1000);
      const listed = await listedEndpoints(cluster, namespace);
      expect(listed.size).toBe(services);
      const pods = (await listedNames(cluster, 'Pod', namespace))
        .map((name) => `${namespace}/${name}`)
        .sort();
      expect(pods).toHaveLength(services * podsEach);
      await eventually(() => {
        for (const [path, expected] of listed) expect(followed.now(path)).toEqual(expected);
        const known = [...followed.informers.pods.entries()].map(([key]) => key);
        expect(known.filter((key) => key.startsWith(`${namespace}/`)).sort()).toEqual(pods);
      });
      expect([...listed.values()].flat()).toHaveLength(services * podsEach);
      for (const [i, watch] of watched.entries()) {
        const { endpoints } = watch.state.value!;
        expect([...endpoints.keys()].sort()).toEqual(listed.get(`s${i}.${namespace}:80`));
        watch.close();
      }
      await eventually(() => {
        for (const { path, keys, broken } of watchers) {
          expect(broken).toBeUndefined();
          expect(keys).toEqual(listed.get(path));
        }
      });
      // The Service, its slice, and then each pod, which is told of only once it is known.
      for (const { messages } of watchers) expect(messages).toBeLessThanOrEqual(2 * (3 + podsEach));
      const held = await replica.held();
      console.log(
        `${services} Services with ${services * podsEach} pods came within ${seconds} s; most resident: ${Math.round(memory.peak)} MB, ` +
          `held: ${Math.round(held)} MB`,
      );
      expect(memory.peak).toBeLessThan(mostResident);
      expect(held).toBeLessThan(mostHeld);
      using late = new FollowedEndpoints(await cluster.client());
      await late.synced();
      for (const [path, expected] of listed) expect(late.now(path)).toEqual(expected);
    },
    withinMs,
  );
}

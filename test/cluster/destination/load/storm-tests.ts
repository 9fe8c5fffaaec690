import { DeafWire } from '../../../faults/support/deaf-wire.ts';
import { eventually } from '../../../support/eventually.ts';
import { atPace } from '../support/at-pace.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { DestinationPlane } from '../support/destination-plane.ts';
import type { DestinationProcess } from '../support/destination-process.ts';
import { listedEndpoints } from '../support/listed.ts';
import { address, create, each, placeOf, service, slice } from '../support/objects.ts';
import { PeakMemory } from '../support/peak-memory.ts';
import { Watcher } from '../support/watcher.ts';

const timeoutMs = 300_000;
const pace = { count: 2_500, perSecond: 500 };
const serviceCount = 50;
const endpointsEach = 20;

/**
 * A process out of sources takes some 180 MB, and a storm some 110 MB more, which is garbage that nobody has hurried to collect.
 * What waits is bounded, so more time or more readers add nothing to that. The chart grants 768 MB.
 */
const mostResident = 450;
/** What one storm may leave behind another of its like: of 2,500 changes of 20 endpoints, it would be 3 KB a change. */
const mostLeft = 8;

/** A storm of EndpointSlices. */
export function stormTests(cluster: TestCluster): void {
  const names = Array.from({ length: serviceCount }, (_, i) => `s${i}`);
  const own = new AsyncDisposableStack();
  let plane: DestinationPlane;
  let replica: DestinationProcess;
  let namespace: string;
  let stormed = 0;

  beforeAll(async () => {
    plane = own.use(await DestinationPlane.install(cluster));
    namespace = await cluster.createNamespace('storm');
    await each(names, 8, async (name) => {
      await create(cluster, 'Service', namespace, service(name));
      await create(cluster, 'EndpointSlice', namespace, slice(name, name, []));
    });
    replica = await plane.start();
    await eventually(async () => expect(await replica.ready()).toBe('200 ready\n'));
  }, timeoutMs);

  afterAll(() => own.disposeAsync());

  const pathOf = (name: string): string => `${name}.${namespace}:80`;

  /** Gives a Service endpoints that nobody had before. */
  const change = (name: string): Promise<unknown> => {
    stormed += 1;
    const first = stormed * endpointsEach;
    const at = Array.from({ length: endpointsEach }, (_, k) => ({ address: address(first + k) }));
    const call = { method: 'PUT', body: slice(name, name, at) };
    return cluster.expect(placeOf('EndpointSlice', namespace, name), call);
  };

  const storm = () => atPace(pace, (i) => change(names[i % names.length]!));

  /** Each has what is listed; but for those that were cut off, where `cutOff` says that they may be. */
  const expectListed = async (
    watchers: readonly Watcher[],
    mayBe: { cutOff: boolean } = { cutOff: false },
  ) => {
    const listed = await listedEndpoints(cluster, namespace);
    // The API server has taken every change.
    expect(listed.size).toBe(serviceCount);
    for (const keys of listed.values()) expect(keys).toHaveLength(endpointsEach);
    await eventually(() => {
      for (const { path, keys, broken, cutOff } of watchers) {
        if (mayBe.cutOff && cutOff) continue;
        expect(broken).toBeUndefined();
        expect([path, keys]).toEqual([path, listed.get(path)]);
      }
    });
  };

  it(
    'is told to each watcher up to what the API server lists, and leaves nothing behind',
    async () => {
      await using opened = new AsyncDisposableStack();
      const channel = await plane.connect(replica);
      const watchers = names.map((name) => opened.use(new Watcher(channel, pathOf(name))));
      const paces = [await storm()];
      await expectListed(watchers);
      const before = await replica.held();
      await using memory = new PeakMemory(replica);
      paces.push(await storm());
      await expectListed(watchers);
      const after = await replica.held();
      console.log(
        `${pace.count} changes of slices twice, changes a second: ${paces.map(Math.round).join()}; ` +
          `most resident: ${Math.round(memory.peak)} MB; held: ${before.toFixed(1)} MB, then ${after.toFixed(1)} MB`,
      );
      // A change is told in two messages at most, what is new and what is gone.
      for (const { messages } of watchers) {
        expect(messages).toBeLessThanOrEqual(1 + (2 * stormed) / serviceCount);
      }
      expect(memory.peak).toBeLessThan(mostResident);
      expect(after - before).toBeLessThan(mostLeft);
      expect(replica.errors).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'is told in fewer messages than there were changes to whoever is told of many at once',
    async () => {
      const [name = ''] = names;
      const channel = await plane.connect(replica);
      await using watcher = new Watcher(channel, pathOf(name));
      await expectListed([watcher]);
      const before = watcher.messages;
      const changes = 300;
      replica.signal('SIGSTOP');
      for (let i = 0; i < changes; i += 1) await change(name);
      replica.signal('SIGCONT');
      await expectListed([watcher]);
      expect(watcher.messages - before).toBeLessThan(changes);
    },
    timeoutMs,
  );

  it(
    'costs no more for readers that never read, keeps the others waiting for nothing, and is told to all when they read',
    async () => {
      await using opened = new AsyncDisposableStack();
      const wire = opened.use(await new DeafWire(await replica.address()).start());
      const deaf = await plane.connect(replica, wire.address);
      const late = Array.from({ length: 4 }, () =>
        names.map((name) => new Watcher(deaf, pathOf(name))),
      ).flat();
      for (const watcher of late) opened.use(watcher);
      await expectListed(late);
      const before = await replica.held();
      wire.deafen();
      const channel = await plane.connect(replica);
      const watchers = names.map((name) => opened.use(new Watcher(channel, pathOf(name))));
      await using memory = new PeakMemory(replica);
      await storm();
      await expectListed(watchers);
      expect(await replica.ready()).toBe('200 ready\n');
      expect(memory.peak).toBeLessThan(mostResident);
      // For each stream some messages are under way, and a set is known that was told last.
      expect((await replica.held()) - before).toBeLessThan(4 * mostLeft);
      const told = late.map(({ messages }) => messages);
      wire.listen();
      await expectListed(late, { cutOff: true });
      for (const [i, { messages }] of late.entries()) expect(messages - told[i]!).toBeLessThan(40);
      expect(replica.errors).toEqual([]);
    },
    timeoutMs,
  );
}

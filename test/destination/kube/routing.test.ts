import { updateFeed } from '../../../src/destination/update-feed.ts';
import type { ServiceTarget } from '../../../src/destination/target.ts';
import { keysOf, MemoryCluster, target } from './support/memory-cluster.ts';
import { at, namespace, node, pod, service, slice } from './support/objects.ts';

const names = ['a', 'b', 'c'];
const forZones = (zone: string) => ({ forZones: [{ name: zone }] });
const forNodes = (name: string) => ({ ...forZones(`zone-${name}`), forNodes: [{ name: `node-${name}` }] });

type More = NonNullable<Parameters<typeof at>[2]>;

/** A pod on each of three nodes, each node in a zone of its own. */
function cluster(more: (name: string) => More, spec: Parameters<typeof service>[1] = {}): MemoryCluster {
  return new MemoryCluster()
    .put('namespaces', namespace('shop'))
    .put('nodes', ...names.map((name) => node(`node-${name}`, `zone-${name}`)))
    .put('services', service('web', { ...spec, ports: [{ port: 80 }] }))
    .put('pods', ...names.map((name, i) => pod(`web-${name}`, { ips: [`10.1.0.${i + 1}`] })))
    .put(
      'endpointSlices',
      slice(
        'web-a',
        'web',
        names.map((name, i) =>
          at(`10.1.0.${i + 1}`, `web-${name}`, { nodeName: `node-${name}`, ...more(name) }),
        ),
      ),
    )
    .sync();
}

function seen(of: MemoryCluster, name: string | undefined): string[] {
  const place = of.source.placeOf(name === undefined ? {} : { nodeName: `node-${name}` });
  return keysOf(of.endpoints('web.shop:80')!.seenFrom(place))!.map((key) => key.split(':')[0]!);
}

const all = ['10.1.0.1', '10.1.0.2', '10.1.0.3'];
const ending = { conditions: { ready: false, serving: true, terminating: true } };

describe('what a client is told of a service', () => {
  it('does not depend on its place when nothing says so', () => {
    const of = cluster(() => ({}));
    const set = of.endpoints('web.shop:80')!;
    expect(set.seenFrom({ zone: 'zone-a', node: 'node-a' })).toBe(set);
    expect(seen(of, 'a')).toEqual(all);
  });

  it('is what hints for its zone say', () => {
    const of = cluster((name) => ({ hints: forZones(`zone-${name}`) }));
    expect(seen(of, 'b')).toEqual(['10.1.0.2']);
  });

  it('is what hints for its node say, before those for its zone', () => {
    const of = cluster((name) => ({
      hints: name === 'c' ? { ...forNodes('b'), ...forZones('zone-c') } : forNodes(name),
    }));
    expect(seen(of, 'b')).toEqual(['10.1.0.2', '10.1.0.3']);
    expect(seen(of, 'c')).toEqual(['10.1.0.3']);
  });

  it.each([
    [
      'one endpoint has no hint',
      (name: string) => (name === 'a' ? {} : { hints: forZones(`zone-${name}`) }),
      'b',
    ],
    ['no hint means its place', () => ({ hints: forZones('zone-a') }), 'b'],
    ['its place is not known', (name: string) => ({ hints: forNodes(name) }), undefined],
    [
      'those with hints are all ending',
      (name: string) => ({ ...ending, hints: forZones(`zone-${name}`) }),
      'b',
    ],
  ])('is everything when %s', (_, more, from) => {
    expect(seen(cluster(more), from)).toEqual(all);
  });

  it('takes no notice of one without a hint that is not ready', () => {
    const of = cluster((name) => (name === 'a' ? ending : { hints: forZones(`zone-${name}`) }));
    expect(seen(of, 'b')).toEqual(['10.1.0.2']);
    expect(seen(of, 'a')).toEqual(['10.1.0.2', '10.1.0.3']);
  });

  it.each([
    ['b', ['10.1.0.2']],
    ['x', []],
    [undefined, []],
  ])('is what is on its node where the traffic is to stay local: %s', (from, expected) => {
    const of = cluster((name) => ({ hints: forZones(`zone-${name}`) }), { internalTrafficPolicy: 'Local' });
    expect(seen(of, from)).toEqual(expected);
  });

  it('is what is ending on its node where traffic is to stay local and there is no other', () => {
    const of = cluster((name) => (name === 'b' ? ending : {}), { internalTrafficPolicy: 'Local' });
    expect(seen(of, 'b')).toEqual(['10.1.0.2']);
  });

  it('is made once for all that see the same', () => {
    const of = cluster((name) => ({ hints: forZones(`zone-${name}`) }));
    const feed = updateFeed(of.source.watchEndpoints(target('web.shop:80') as ServiceTarget), {
      setLabels: {},
      clientZone: 'zone-a',
    });
    const step = feed.state.value!;
    const [one, other] = ['node-a', 'node-z'].map((name) => step.seenFrom(name));
    expect(one).toBe(other);
    expect(step.updatesFor(undefined, one)[0]).toBe(step.updatesFor(undefined, other)[0]);
    feed.close();
  });

  it('changes when hints are all that changes', async () => {
    const of = cluster(() => ({}));
    const watched = of.source.watchEndpoints(target('web.shop:80') as ServiceTarget);
    const before = watched.state.value;
    of.put(
      'endpointSlices',
      slice(
        'web-a',
        'web',
        names.map((name, i) =>
          at(`10.1.0.${i + 1}`, `web-${name}`, { nodeName: `node-${name}`, hints: forZones('zone-a') }),
        ),
      ),
    );
    await watched.state.until((set) => set !== before);
    expect(watched.state.value?.seenFrom({ zone: 'zone-a', node: undefined })).not.toBe(watched.state.value);
    watched.close();
  });
});

import * as fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import type { EndpointSet } from '../../../src/destination/endpoint-set.ts';
import type { ServiceTarget } from '../../../src/destination/target.ts';
import type { Kind, Sources } from './support/memory-cluster.ts';
import { MemoryCluster, target } from './support/memory-cluster.ts';
import { at, external, namespace, node, pod, service, slice } from './support/objects.ts';

const paths = [
  'a.shop:80',
  'b.shop:80',
  'h0.a.shop:80',
  '10.96.0.1:80',
  '10.1.0.1:8080',
  '10.1.0.2:8080',
  '192.0.2.1:8088',
  '192.0.2.1:30080',
];

function endpointsOf(cluster: MemoryCluster, path: string) {
  return cluster.source.watchEndpoints(target(path) as ServiceTarget);
}

/** A set, or a profile, as what can be compared: from where a client may be, too. */
function plain(answer: unknown): unknown {
  const set = answer as EndpointSet | undefined;
  if (set === undefined || !('seenFrom' in set)) return answer;
  const places = [undefined, 'n0', 'n1'].map((name) =>
    set.seenFrom({ node: name, zone: name === undefined ? undefined : `z-${name}` }),
  );
  return places.map(({ exists, endpoints }) => ({ exists, endpoints: new Map([...endpoints].sort()) }));
}

describe('an answer that is followed', () => {
  it('changes when a pod, its node, its namespace or a Server does', async () => {
    const cluster = new MemoryCluster()
      .put('services', service('a', { ports: [{ port: 80 }] }))
      .put('endpointSlices', slice('a-1', 'a', [at('10.1.0.1', 'p')]))
      .sync();
    const watched = endpointsOf(cluster, 'a.shop:80');
    const endpoint = () => watched.state.value?.endpoints.get('10.1.0.1:8080');
    const changed = (holds: (is: ReturnType<typeof endpoint>) => boolean) =>
      watched.state.until(() => holds(endpoint()));
    expect(endpoint()).toBeUndefined();
    cluster.put('pods', pod('p', { ips: ['10.1.0.1'], spec: { nodeName: 'n0' } }));
    await changed((is) => is !== undefined);
    cluster.put('nodes', node('n0', 'z0'));
    await changed((is) => is?.zone === 'z0');
    cluster.put('namespaces', namespace('shop', { 'config.kedge.io/skip-inbound-ports': '8080' }));
    await changed((is) => is?.identity === undefined);
    cluster.delete('namespaces', 'shop').setServerProtocol('shop/p', 8080, 'opaque');
    await changed((is) => is?.opaque === true);
    cluster.delete('services', 'shop/a');
    await watched.state.until((set) => set?.exists === false);
    watched.close();
  });

  it('stays as it was while it cannot be made anew, and others go on', async () => {
    const cluster = new MemoryCluster();
    for (const [name, ip] of [
      ['a', '10.1.0.1'],
      ['b', '10.1.0.2'],
    ] as const) {
      cluster
        .put('services', service(name, { ports: [{ port: 80 }] }))
        .put('endpointSlices', slice(name, name, [at(ip, name)]))
        .put('pods', pod(name, { ips: [ip] }));
    }
    cluster.sync();
    const [a, b] = [endpointsOf(cluster, 'a.shop:80'), endpointsOf(cluster, 'b.shop:80')];
    const profile = cluster.source.watchProfile(target('10.1.0.1:8080'));
    const before = [a.state.value, profile.state.value];
    cluster.put('pods', pod('b', { ips: ['10.1.0.2'], meshed: false })).spoilPod('shop/a');
    await setImmediate();
    expect([a.state.value, profile.state.value]).toEqual(before);
    expect(b.state.value?.endpoints.get('10.1.0.2:8080')).toMatchObject({ identity: undefined });
    expect(cluster.failed.told().map(({ fields }) => [fields['code'], fields['target']])).toEqual([
      ['endpoints', 'shop/a:80'],
      ['profile', '10.1.0.1:8080'],
    ]);
    cluster.put('pods', pod('a', { ips: ['10.1.0.1'], meshed: false }));
    await setImmediate();
    expect(a.state.value?.endpoints.get('10.1.0.1:8080')).toMatchObject({ identity: undefined });
    for (const watch of [a, b, profile]) watch.close();
  });

  it('is made once for many changes of one turn', async () => {
    const cluster = new MemoryCluster().put('services', service('a', { ports: [{ port: 80 }] })).sync();
    const watched = endpointsOf(cluster, 'a.shop:80');
    let told = 0;
    watched.state.subscribe(() => (told += 1));
    for (let i = 1; i <= 200; i += 1) {
      cluster.put('endpointSlices', slice('a-1', 'a', [at(`192.0.2.${i}`)]));
    }
    await setImmediate();
    expect(told).toBe(1);
    expect([...watched.state.value!.endpoints.keys()]).toEqual(['192.0.2.200:8080']);
    watched.close();
    cluster.put('endpointSlices', slice('a-1', 'a', []));
    await setImmediate();
    expect(told).toBe(1);
  });

  it('is, whatever changed before, that of a cluster that is read anew', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change(), { maxLength: 30 }), async (changes) => {
        const followed = new MemoryCluster().sync();
        const watches = paths.map((path) => followed.source.watchProfile(target(path)));
        const sets = paths.slice(0, 3).map((path) => endpointsOf(followed, path));
        for (const { kind, name, source, pause } of changes) {
          if (source === undefined) followed.delete(kind, name);
          else followed.put(kind, source);
          if (pause) await setImmediate();
        }
        await setImmediate();
        const anew = new MemoryCluster();
        for (const { kind, source } of lastOf(changes)) if (source !== undefined) anew.put(kind, source);
        anew.sync();
        expect(watches.map(({ state }) => state.value)).toEqual(paths.map((path) => anew.profile(path)));
        expect(sets.map(({ state }) => plain(state.value))).toEqual(
          paths.slice(0, 3).map((path) => plain(anew.endpoints(path))),
        );
        for (const watch of [...watches, ...sets]) watch.close();
      }),
      { numRuns: 150 },
    );
  });
});

/** What came of each object, in an order that has nothing to do with when. */
function lastOf(changes: readonly Step[]): Step[] {
  const last = new Map(changes.map((step) => [`${step.kind} ${step.name}`, step]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, step]) => step);
}

interface Step {
  readonly kind: Kind;
  readonly name: string;
  readonly source: Sources[Kind] | undefined;
  /** Whether answers are made before the next change. */
  readonly pause: boolean;
}

/** A change of one of a few objects that have much to do with each other. */
function change(): fc.Arbitrary<Step> {
  const index = fc.nat(1);
  const ip = fc.constantFrom('10.1.0.1', '10.1.0.2');
  const objects: Record<Kind, fc.Arbitrary<Sources[Kind]>> = {
    services: fc
      .record({ i: index, local: fc.boolean(), nodePort: fc.constantFrom(30080, 30081) })
      .map(({ i, local, nodePort }) =>
        service(['a', 'b'][i]!, {
          clusterIPs: ['10.96.0.1'],
          selector: { app: 'x' },
          internalTrafficPolicy: local ? 'Local' : 'Cluster',
          ports: [{ port: 80, nodePort, targetPort: 8080 }],
        }),
      ),
    endpointSlices: fc
      .record({
        i: index,
        of: index,
        endpoints: fc.uniqueArray(sliceEndpoint(), { maxLength: 3, selector: (e) => e.addresses[0] }),
      })
      .map(({ i, of, endpoints }) => slice(`s${i}`, ['a', 'b'][of]!, endpoints)),
    pods: fc
      .record({
        i: index,
        ip,
        n: index,
        meshed: fc.boolean(),
        ended: fc.boolean(),
        uid: fc.constantFrom('', 'other'),
      })
      .map(({ i, ip: own, n, meshed, ended, uid }) =>
        pod(`p${i}`, {
          ips: [own],
          meshed,
          ...(uid !== '' && { uid }),
          creationTimestamp: `2026-01-0${i + 1}T00:00:00Z`,
          spec: {
            nodeName: `n${n}`,
            containers: [{ name: 'app', ports: [{ containerPort: 8080, hostPort: 8088 }] }],
          },
          status: { phase: ended ? 'Failed' : 'Running', hostIP: '192.0.2.1' },
        }),
      ),
    nodes: fc
      .record({ i: index, there: fc.boolean() })
      .map(({ i, there }) => node(`n${i}`, `z-n${i}`, there ? ['192.0.2.1'] : [])),
    namespaces: fc
      .constantFrom('8080', '1')
      .map((text) => namespace('shop', { 'config.kedge.io/opaque-ports': text })),
    externalWorkloads: fc
      .record({ ip, ready: fc.boolean() })
      .map(({ ip: own, ready }) =>
        external('vm', { workloadIPs: [{ ip: own }] }, { ready, labels: { app: 'x' } }),
      ),
  };
  const kinds = Object.keys(objects) as Kind[];
  return fc.oneof(
    ...kinds.map((kind) =>
      fc
        .record({ source: objects[kind], gone: fc.nat(3), pause: fc.boolean() })
        .map(({ source, gone, pause }) => ({
          kind,
          name: keyOf(source),
          source: gone === 0 ? undefined : source,
          pause,
        })),
    ),
  );
}

function keyOf({ metadata: { namespace: of, name } }: Sources[Kind]): string {
  return of === undefined ? name : `${of}/${name}`;
}

function sliceEndpoint() {
  return fc
    .record({
      address: fc.constantFrom('10.1.0.1', '10.1.0.2', '192.0.2.5'),
      target: fc.constantFrom('p0', 'p1', undefined),
      ready: fc.boolean(),
      nodeName: fc.constantFrom('n0', 'n1'),
      hinted: fc.boolean(),
      hostname: fc.constantFrom('h0', 'h1'),
    })
    .map(({ address, target: of, ready, nodeName, hinted, hostname }) =>
      at(address, of, {
        nodeName,
        hostname,
        conditions: { ready, serving: true, terminating: !ready },
        ...(hinted && { hints: { forZones: [{ name: `z-${nodeName}` }] } }),
      }),
    );
}

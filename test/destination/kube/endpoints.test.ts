import { keysOf, MemoryCluster } from './support/memory-cluster.ts';
import { at, external, namespace, node, pod, service, slice } from './support/objects.ts';

const web = mesh('web');

function mesh(account: string) {
  return { dnsName: `${account}.shop.serviceaccount.identity.kedge.mesh.example` };
}

function cluster(): MemoryCluster {
  return new MemoryCluster()
    .put('namespaces', namespace('shop'))
    .put('services', service('web', { clusterIPs: ['10.96.0.1'], ports: [{ port: 80, targetPort: 8080 }] }))
    .put('pods', pod('web-0', { ips: ['10.1.0.1'] }), pod('web-1', { ips: ['10.1.0.2'] }))
    .put('endpointSlices', slice('web-a', 'web', [at('10.1.0.1', 'web-0'), at('10.1.0.2', 'web-1')]))
    .sync();
}

function endpointAt(of: MemoryCluster, path: string, key: string) {
  return of.endpoints(path)?.endpoints.get(key);
}

describe('the endpoints of a service', () => {
  it('are not known before everything has been seen once', () => {
    const unsynced = new MemoryCluster();
    const watched = unsynced.source.watchEndpoints({
      kind: 'service',
      namespace: 'shop',
      name: 'web',
      instance: undefined,
      port: 80,
    });
    expect(watched.state.value).toBeUndefined();
    for (const [kind, collection] of Object.entries(unsynced.collections)) {
      if (kind !== 'nodes') collection.sync();
    }
    expect(unsynced.endpoints('web.shop:80')).toBeUndefined();
    unsynced.collections.nodes.sync();
    expect(unsynced.endpoints('web.shop:80')).toBeUndefined();
    unsynced.serversSynced.set(true);
    expect(unsynced.endpoints('web.shop:80')).toMatchObject({ exists: false });
    watched.close();
  });

  it('are gone with their slice, although it changed and changed back in one batch before', () => {
    const of = cluster();
    const { endpointSlices } = of.collections;
    const before = endpointSlices.get('shop/web-a')!;
    endpointSlices.apply([
      ['shop/web-a', { ...before, endpoints: [] }],
      ['shop/web-a', { ...before }],
    ]);
    of.delete('endpointSlices', 'shop/web-a');
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual([]);
  });

  it('are the pods of its slices, each with what it must prove', () => {
    expect(keysOf(cluster().endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8080']);
    expect(endpointAt(cluster(), 'web.shop:80', '10.1.0.1:8080')).toMatchObject({
      weight: 10_000,
      identity: web,
      inboundPort: 4143,
      opaque: false,
      namespace: 'shop',
      labels: { pod: 'web-0', serviceaccount: 'web', control_plane_ns: 'kedge' },
    });
  });

  it.each([
    ['a port it does not have', 'web.shop:81'],
    ['a service that is not there', 'nobody.shop:80'],
    ['a service of another namespace', 'web.other:80'],
    ['a service outside the cluster', 'outside.shop:80'],
    ['an instance that is not there', 'web-9.web.shop:80'],
  ])('are none, and it does not exist: %s', (_, path) => {
    const of = cluster().put('services', service('outside', { type: 'ExternalName', ports: [{ port: 80 }] }));
    expect(of.endpoints(path)).toMatchObject({ exists: false, size: 0 });
  });

  it('are none of a service without slices, which exists', () => {
    const of = cluster().delete('endpointSlices', 'shop/web-a');
    expect(of.endpoints('web.shop:80')).toMatchObject({ exists: true, size: 0 });
  });

  it('come by the port of the same name, which may be another number in each slice', () => {
    const of = cluster()
      .put(
        'services',
        service('web', {
          ports: [
            { name: 'http', port: 80, targetPort: 'http' },
            { name: 'admin', port: 81, targetPort: 9000 },
          ],
        }),
      )
      .put(
        'endpointSlices',
        slice('web-a', 'web', [at('10.1.0.1', 'web-0')], {
          ports: [
            { name: 'http', port: 8080 },
            { name: 'admin', port: 9000 },
          ],
        }),
        slice('web-b', 'web', [at('10.1.0.2', 'web-1')], { ports: [{ name: 'http', port: 8081 }] }),
      );
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8081']);
    expect(keysOf(of.endpoints('web.shop:81'))).toEqual(['10.1.0.1:9000']);
  });

  it('are those of TCP where two protocols have one number', () => {
    const of = cluster()
      .put(
        'services',
        service('web', {
          ports: [
            { name: 'dns-udp', port: 53, protocol: 'UDP' },
            { name: 'dns-tcp', port: 53, protocol: 'TCP' },
          ],
        }),
      )
      .put(
        'endpointSlices',
        slice('web-a', 'web', [at('10.1.0.1', 'web-0')], {
          ports: [
            { name: 'dns-udp', port: 5353, protocol: 'UDP' },
            { name: 'dns-tcp', port: 5354, protocol: 'TCP' },
          ],
        }),
      );
    expect(keysOf(of.endpoints('web.shop:53'))).toEqual(['10.1.0.1:5354']);
  });

  it('are there once where several slices have the same address, and ready where one says so', () => {
    const ending = { conditions: { ready: false, serving: true, terminating: true } };
    const of = cluster().put(
      'endpointSlices',
      slice('web-b', 'web', [at('10.1.0.1', 'web-0', ending), at('10.1.0.2', 'web-1')]),
    );
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8080']);
  });

  it.each([
    ['ready is not said', {}, true],
    ['it is ready', { ready: true }, true],
    ['it is not ready', { ready: false }, false],
    ['it is ending, though it serves', { ready: false, serving: true, terminating: true }, false],
    [
      'addresses are published before they are ready',
      { ready: true, serving: false, terminating: false },
      true,
    ],
  ])('have one of which %s (%j): %s', (_, conditions, there) => {
    const of = cluster().put(
      'endpointSlices',
      slice('web-a', 'web', [at('10.1.0.1', 'web-0', { conditions }), at('10.1.0.2', 'web-1')]),
    );
    expect(keysOf(of.endpoints('web.shop:80'))!.includes('10.1.0.1:8080')).toBe(there);
  });

  it('are those that end and still serve where there would be none at all', () => {
    const ending = { conditions: { ready: false, serving: true, terminating: true } };
    const dead = { conditions: { ready: false, serving: false, terminating: true } };
    const of = cluster().put(
      'endpointSlices',
      slice('web-a', 'web', [at('10.1.0.1', 'web-0', ending), at('10.1.0.2', 'web-1', dead)]),
    );
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080']);
  });

  it('are of IPv6 too, and of one family where a pod has both: the first one of the service', () => {
    const both = (families: string[]) =>
      cluster()
        .put('services', service('web', { ipFamilies: families, ports: [{ port: 80 }] }))
        .put('pods', pod('web-0', { ips: ['10.1.0.1', 'fd00::1'] }), pod('web-6', { ips: ['fd00::6'] }))
        .put(
          'endpointSlices',
          slice('web-a', 'web', [at('10.1.0.1', 'web-0')]),
          slice('web-6', 'web', [at('fd00::1', 'web-0'), at('fd00::6', 'web-6')], { addressType: 'IPv6' }),
        );
    expect(keysOf(both(['IPv4', 'IPv6']).endpoints('web.shop:80'))).toEqual([
      '10.1.0.1:8080',
      '[fd00::6]:8080',
    ]);
    expect(keysOf(both(['IPv6', 'IPv4']).endpoints('web.shop:80'))).toEqual([
      '[fd00::1]:8080',
      '[fd00::6]:8080',
    ]);
  });

  it('can be asked for one by one by the host name of a pod', () => {
    const of = cluster().put(
      'endpointSlices',
      slice('web-a', 'web', [at('10.1.0.1', 'web-0', { hostname: 'first' }), at('10.1.0.2', 'web-1')]),
    );
    expect(keysOf(of.endpoints('first.web.shop:80'))).toEqual(['10.1.0.1:8080']);
  });

  it('may be of a service with 300 ports', () => {
    const ports = Array.from({ length: 300 }, (_, i) => ({ name: `p${i}`, port: 1000 + i }));
    const of = cluster()
      .put('services', service('web', { ports }))
      .put(
        'endpointSlices',
        ...[0, 1, 2].map((part) =>
          slice(`web-${part}`, 'web', [at('10.1.0.1', 'web-0')], {
            ports: ports.slice(part * 100, part * 100 + 100),
          }),
        ),
      )
      .delete('endpointSlices', 'shop/web-a');
    for (const { port } of ports) {
      expect(keysOf(of.endpoints(`web.shop:${port}`))).toEqual([`10.1.0.1:${port}`]);
    }
  });
});

describe('a pod behind a service', () => {
  const one = (parts: Parameters<typeof pod>[1], port = 8080) => {
    const of = cluster()
      .put('pods', pod('web-0', parts))
      .put(
        'endpointSlices',
        slice('web-a', 'web', [at('10.1.0.1', 'web-0')], { ports: [{ name: '', port }] }),
      );
    return endpointAt(of, 'web.shop:80', `10.1.0.1:${port}`);
  };
  const ips = ['10.1.0.1'];

  it.each([
    ['it has no label of a mesh', { ips, meshed: false }],
    ['it is of another mesh', { ips, labels: { 'linkerd.io/control-plane-ns': 'linkerd' } }],
    [
      'its port bypasses the proxy',
      { ips, annotations: { 'config.linkerd.io/skip-inbound-ports': '8000-8100' } },
    ],
  ])('has no identity when %s', (_, parts) => {
    expect(one(parts)).toMatchObject({ identity: undefined, inboundPort: undefined });
  });

  it('has the identity of the account default when it names none', () => {
    const of = cluster().put('pods', { ...pod('web-0', { ips }), spec: {} });
    expect(endpointAt(of, 'web.shop:80', '10.1.0.1:8080')).toMatchObject({ identity: mesh('default') });
  });

  it('is told to nobody when its identity would be no name, for without one the bytes would be plain', () => {
    const of = cluster().put('pods', pod('web-0', { ips, spec: { serviceAccountName: 'a'.repeat(253) } }));
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.2:8080']);
    expect(of.profile('10.1.0.1:8080')).toBeUndefined();
    expect(of.log.records).toMatchObject([{ level: 'warn', fields: { pod: 'shop/web-0' } }]);
  });

  it('is told to nobody until it is known, or when it is another of the same name', () => {
    const of = cluster().delete('pods', 'shop/web-0');
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.2:8080']);
    of.put('pods', pod('web-0', { ips, uid: 'another' }));
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.2:8080']);
  });

  it.each([
    ['by default', {}, 3306, true],
    ['and no other port by default', {}, 8080, false],
    ['by its annotation', { annotations: { 'config.linkerd.io/opaque-ports': '8080' } }, 8080, true],
    ['by a range', { annotations: { 'config.kedge.io/opaque-ports': '1, 8000-8100' } }, 8080, true],
    [
      'not when its annotation leaves it out',
      { annotations: { 'config.kedge.io/opaque-ports': '' } },
      3306,
      false,
    ],
    [
      'by our annotation rather than the other',
      { annotations: { 'config.kedge.io/opaque-ports': '1', 'config.linkerd.io/opaque-ports': '8080' } },
      8080,
      false,
    ],
    [
      'by the name of a port of its containers',
      {
        annotations: { 'config.kedge.io/opaque-ports': 'nonsense,db' },
        spec: {
          containers: [
            { name: 'app', ports: [{ name: 'db', containerPort: 8080 }] },
            { name: 'linkerd-proxy' },
          ],
        },
      },
      8080,
      true,
    ],
  ])('is opaque %s', (_, parts, port, opaque) => {
    expect(one({ ips, ...parts }, port)).toMatchObject({ opaque, inboundPort: 4143 });
  });

  it('is as its namespace says where it says nothing itself', () => {
    const of = cluster().put(
      'namespaces',
      namespace('shop', {
        'config.linkerd.io/opaque-ports': '8080',
        'config.linkerd.io/skip-inbound-ports': '9000',
      }),
    );
    expect(endpointAt(of, 'web.shop:80', '10.1.0.1:8080')).toMatchObject({ opaque: true });
    expect(of.profile('10.1.0.1:9000')).toMatchObject({ endpoint: { identity: undefined } });
  });

  it.each([
    ['opaque' as const, { opaque: true, inboundPort: 4143 }],
    ['http1' as const, { opaque: false, inboundPort: undefined, identity: web }],
    ['detect' as const, { opaque: false, inboundPort: 4143 }],
  ])('is as a Server says, which comes before the annotation: %s', async (protocol, expected) => {
    const of = cluster().setServerProtocol('shop/web-0', 8080, protocol);
    expect(endpointAt(of, 'web.shop:80', '10.1.0.1:8080')).toMatchObject(expected);
  });

  it.each([
    [
      'the port its proxy names',
      [{ name: 'linkerd-proxy', env: [{ name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value: '[::]:5143' }] }],
      5143,
    ],
    ['the usual port where its proxy names none', [{ name: 'linkerd-proxy' }], 4143],
    [
      'none where it cannot be read',
      [{ name: 'linkerd-proxy', env: [{ name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR' }] }],
      undefined,
    ],
    ['none where there is no proxy', [{ name: 'app' }], undefined],
  ])('is dialled at %s, init container or not', (_, containers, inboundPort) => {
    expect(one({ ips, spec: { initContainers: containers, containers: [] } })).toMatchObject({
      identity: web,
      inboundPort,
    });
  });

  it('is told to nobody at an opaque port when its inbound port cannot be told', () => {
    expect(one({ ips, spec: { containers: [{ name: 'app' }] } }, 3306)).toBeUndefined();
  });

  it('is dialled directly at the admin port of its proxy', () => {
    expect(one({ ips }, 4191)).toMatchObject({ identity: web, inboundPort: undefined });
  });

  it('is labelled with what owns it, and its zone', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5f7c', uid: 'x', controller: true };
    const of = cluster()
      .put('nodes', node('node-a', 'eu-1a'))
      .put(
        'pods',
        pod('web-0', {
          ips,
          labels: { 'pod-template-hash': '5f7c' },
          ownerReferences: [owner],
          spec: { nodeName: 'node-a' },
        }),
      );
    expect(endpointAt(of, 'web.shop:80', '10.1.0.1:8080')).toMatchObject({
      zone: 'eu-1a',
      labels: { pod: 'web-0', deployment: 'web', pod_template_hash: '5f7c', serviceaccount: 'web' },
    });
  });
});

describe('an address behind a service that is no pod of the slice', () => {
  const plain = () =>
    cluster().put(
      'endpointSlices',
      slice('web-a', 'web', [at('192.0.2.1', undefined, { zone: 'z' }), at('10.1.0.1')]),
    );

  it('has nothing to prove', () => {
    expect(endpointAt(plain(), 'web.shop:80', '192.0.2.1:8080')).toMatchObject({
      identity: undefined,
      zone: 'z',
      labels: {},
    });
  });

  it('is the pod that has the address, where there is one', () => {
    expect(endpointAt(plain(), 'web.shop:80', '10.1.0.1:8080')).toMatchObject({
      identity: web,
      labels: { pod: 'web-0' },
    });
  });
});

describe('an address that an object claims and another has', () => {
  const stranger = (...parts: Parameters<typeof slice>[2]) =>
    cluster()
      .put('namespaces', namespace('other'))
      .put(
        'services',
        service(
          'bait',
          { selector: { app: 'bait' }, ports: [{ port: 80, targetPort: 8080 }] },
          { namespace: 'other' },
        ),
      )
      .put('pods', pod('plain', { ips: ['10.1.0.66'], namespace: 'other', meshed: false }))
      .put('endpointSlices', slice('bait-a', 'bait', parts, { namespace: 'other' }));

  it('is told to nobody when a slice names another pod there', () => {
    const of = stranger(at('10.1.0.1', 'plain'), at('10.1.0.66', 'plain'));
    expect(keysOf(of.endpoints('bait.other:80'))).toEqual(['10.1.0.66:8080']);
  });

  it('is told to nobody when it is the cluster address of a service', () => {
    expect(keysOf(stranger(at('10.96.0.1')).endpoints('bait.other:80'))).toEqual([]);
  });

  it('is told to nobody when an external workload gives it as its own', () => {
    const meta = { namespace: 'other', labels: { app: 'bait' } };
    const workloadIPs = [{ ip: '10.1.0.1' }, { ip: '198.51.100.7' }];
    const meshTLS = { identity: 'spiffe://mesh.example/vm', serverName: 'vm.mesh.example' };
    const of = stranger().put('externalWorkloads', external('vm', { workloadIPs, meshTLS }, meta));
    expect(keysOf(of.endpoints('bait.other:80'))).toEqual(['198.51.100.7:8080']);
  });

  it('is told again when the pod that had it is gone', () => {
    const of = cluster().put(
      'pods',
      pod('later', { ips: ['10.1.0.1'], creationTimestamp: '2026-02-01T00:00:00Z' }),
    );
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.2:8080']);
    of.delete('pods', 'shop/later');
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8080']);
  });
});

describe('an external workload', () => {
  const identity = { uri: 'spiffe://mesh.example/vm', serverName: 'vm.mesh.example' };
  const meshTLS = { identity: identity.uri, serverName: identity.serverName };
  const vm = { meshTLS, workloadIPs: [{ ip: '192.0.2.7' }], ports: [{ name: 'http', port: 9000 }] };
  const labels = { app: 'web' };
  const selecting = (targetPort: number | string) =>
    cluster().put('services', service('web', { selector: labels, ports: [{ port: 80, targetPort }] }));

  it('is an endpoint of the services that select it, with its own kind of identity', () => {
    const of = selecting('http').put('externalWorkloads', external('vm', vm, { labels }));
    expect(endpointAt(of, 'web.shop:80', '192.0.2.7:9000')).toMatchObject({
      identity,
      inboundPort: 4143,
      labels: { external_workload: 'vm' },
    });
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8080', '192.0.2.7:9000']);
  });

  it('has the same identity as v1alpha1 spells it, unless it says another by its name of today', () => {
    const { meshTLS: meshTls, ...rest } = vm;
    const old = selecting('http').put('externalWorkloads', external('vm', { ...rest, meshTls }, { labels }));
    expect(endpointAt(old, 'web.shop:80', '192.0.2.7:9000')).toMatchObject({ identity });
    const other = { ...meshTls, identity: 'spiffe://mesh.example/other' };
    const both = { ...vm, meshTls: other };
    const of = selecting('http').put('externalWorkloads', external('vm', both, { labels }));
    expect(endpointAt(of, 'web.shop:80', '192.0.2.7:9000')).toMatchObject({ identity });
  });

  it('is dialled at its port of the name that the contract gives', () => {
    const ports = [{ name: 'linkerd-proxy', port: 5143 }];
    const of = selecting(9000).put('externalWorkloads', external('vm', { ...vm, ports }, { labels }));
    expect(endpointAt(of, 'web.shop:80', '192.0.2.7:9000')).toMatchObject({ inboundPort: 5143 });
  });

  it.each([
    ['it is not ready', external('vm', vm, { labels, ready: false })],
    ['it has other labels', external('vm', vm, { labels: { app: 'api' } })],
    ['it is of another namespace', external('vm', vm, { labels, namespace: 'other' })],
    ['it has no port of the name', external('vm', { ...vm, ports: [] }, { labels })],
    [
      'its identity has no server name',
      external('vm', { ...vm, meshTLS: { identity: 'spiffe://x/y' } }, { labels }),
    ],
    [
      'its identity is no URI',
      external('vm', { ...vm, meshTLS: { ...meshTLS, identity: 'vm' } }, { labels }),
    ],
    ['it has no identity', external('vm', { ...vm, meshTLS: undefined }, { labels })],
  ])('is told to nobody when %s', (_, object) => {
    const of = selecting('http').put('externalWorkloads', object);
    expect(keysOf(of.endpoints('web.shop:80'))).toEqual(['10.1.0.1:8080', '10.1.0.2:8080']);
  });

  it.each([
    ['ports', { ports: [null, 'x', { port: 1.5 }, { port: 70_000 }, { port: 80 }] }],
    ['what should be lists', { ports: {}, status: { conditions: 'x' } }],
    ['addresses', { workloadIPs: [null, { ip: 7 }, { ip: 'x' }, { ip: '192.0.2.7' }] }],
    ['conditions', { status: { conditions: [null] } }],
  ])('keeps its identity whatever its %s are', (_, { status = {}, ...odd }: Record<string, unknown>) => {
    const object = { ...external('vm', { ...vm, ...odd }), status };
    const of = cluster().put('externalWorkloads', object);
    expect(of.profile('192.0.2.7:1234')).toMatchObject({ endpoint: { identity } });
  });

  it('is the same when a slice names it', () => {
    const targetRef = { kind: 'ExternalWorkload', name: 'vm' };
    const of = cluster()
      .put('externalWorkloads', external('vm', vm))
      .put('endpointSlices', slice('web-a', 'web', [at('192.0.2.7', undefined, { targetRef })]));
    expect(endpointAt(of, 'web.shop:80', '192.0.2.7:8080')).toMatchObject({ identity });
    expect(of.profile('192.0.2.7:1234')).toMatchObject({ endpoint: { identity } });
  });
});

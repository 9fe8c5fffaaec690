import { MemoryCluster } from './support/memory-cluster.ts';
import { at, external, namespace, node, pod, proxyContainer, service, slice } from './support/objects.ts';

const web = { dnsName: 'web.shop.serviceaccount.identity.kedge.mesh.example' };

function cluster(): MemoryCluster {
  const ports = [
    { name: 'http', port: 80, nodePort: 30080 },
    { name: 'db', port: 3306 },
    { name: 'mixed', port: 81 },
  ];
  const hosted = [
    { containerPort: 8080, hostPort: 8088 },
    { containerPort: 8081, hostPort: 8089, hostIP: '192.0.2.9' },
  ];
  return new MemoryCluster()
    .put('namespaces', namespace('shop'))
    .put('nodes', node('node-a', 'eu-1a', ['192.0.2.1', '192.0.2.9']))
    .put('services', service('web', { clusterIPs: ['10.96.0.1', 'fd00:96::1'], ports }))
    .put('services', service('headless', { clusterIPs: ['None'], ports: [{ port: 80 }] }))
    .put(
      'pods',
      pod('web-0', {
        ips: ['10.1.0.1', 'fd00::1'],
        spec: { nodeName: 'node-a', containers: [{ name: 'app', ports: hosted }, proxyContainer] },
        status: { hostIPs: [{ ip: '192.0.2.1' }] },
      }),
    )
    .put(
      'endpointSlices',
      slice('web-a', 'web', [at('10.1.0.1', 'web-0')], {
        ports: [
          { name: 'http', port: 8080 },
          { name: 'mixed', port: 25 },
        ],
      }),
      slice('headless-a', 'headless', [at('10.1.0.1', 'web-0', { hostname: 'web-0' })]),
    )
    .sync();
}

const ofWeb = { namespace: 'shop', name: 'web', port: 80, instance: undefined };

describe('what stands behind', () => {
  it.each([
    ['a name', 'web.shop:80', { service: ofWeb, exists: true, opaque: false }],
    ['a cluster address', '10.96.0.1:80', { service: ofWeb, exists: true }],
    ['the cluster address of the other family', '[fd00:96::1]:80', { service: ofWeb, exists: true }],
    ['a port of a node', '192.0.2.1:30080', { service: ofWeb, exists: true }],
    ['a port that the service does not have', '10.96.0.1:99', { exists: false, opaque: false }],
    ['a name of nobody', 'nobody.shop:80', { exists: false }],
    ['an instance of nobody', 'nobody.headless.shop:80', { exists: false }],
    ['a port that is opaque by default', 'web.shop:3306', { exists: true, opaque: true }],
    ['a port whose endpoint is opaque', 'web.shop:81', { exists: true, opaque: true }],
  ])('%s is a service', (_, path, expected) => {
    expect(cluster().profile(path)).toMatchObject({ kind: 'service', ...expected });
  });

  it.each([
    ['the address of a pod', '10.1.0.1:8080', { identity: web, inboundPort: 4143, zone: 'eu-1a' }],
    ['any port of it', '10.1.0.1:1234', { port: 1234, identity: web }],
    ['its other address', '[fd00::1]:8080', { identity: web }],
    ['an instance of a headless service', 'web-0.headless.shop:80', { port: 8080, identity: web }],
    [
      'a port of its node that leads to it',
      '192.0.2.1:8088',
      { port: 8080, identity: web, inboundPort: 4143 },
    ],
    ['one that is bound to another address', '192.0.2.9:8089', { port: 8081, identity: web }],
    ['a port of its node that leads nowhere', '192.0.2.1:8089', { port: 8089, identity: undefined }],
    ['an address of nobody', '198.51.100.1:443', { identity: undefined, labels: {} }],
  ])('%s is one endpoint', (_, path, expected) => {
    expect(cluster().profile(path)).toMatchObject({ kind: 'endpoint', endpoint: expected });
  });

  it('a port of a node that leads to a pod is told with the address of the pod', () => {
    const profile = cluster().profile('192.0.2.1:8088');
    expect(profile?.kind === 'endpoint' && profile.endpoint.address.toString()).toBe('10.1.0.1');
  });

  it.each([
    ['the Service says so', { 'config.kedge.io/opaque-ports': '80' }, {}, true],
    ['the Service says so by the name of the port', { 'config.linkerd.io/opaque-ports': 'http' }, {}, true],
    ['the namespace says so', {}, { 'config.linkerd.io/opaque-ports': '80' }, true],
    [
      'the Service says otherwise',
      { 'config.kedge.io/opaque-ports': '81' },
      { 'config.kedge.io/opaque-ports': '80' },
      false,
    ],
  ])('a service is opaque when %s', (_, annotations, ofNamespace, opaque) => {
    const of = cluster()
      .put('namespaces', namespace('shop', ofNamespace))
      .put('services', service('web', { ports: [{ name: 'http', port: 80 }] }, { annotations }))
      .delete('endpointSlices', 'shop/web-a');
    expect(of.profile('web.shop:80')).toMatchObject({ opaque });
  });

  it.each(['198.51.100.1', '192.0.2.2'])(
    'a pod is not at %s because it asks for that as its host address',
    (hostIP) => {
      const ports = [{ containerPort: 8443, hostPort: 443, hostIP }];
      const of = cluster()
        .put('nodes', node('node-b', 'eu-1b', ['192.0.2.2']))
        .put(
          'pods',
          pod('thief', {
            ips: ['10.1.0.66'],
            spec: { nodeName: 'node-a', containers: [{ name: 'app', ports }, proxyContainer] },
            status: { hostIPs: [{ ip: '192.0.2.1' }] },
          }),
        );
      expect(of.profile(`${hostIP}:443`)).toMatchObject({ endpoint: { identity: undefined, labels: {} } });
    },
  );

  it('an address of a node, and that of an external workload, is not that of a later external workload', () => {
    const spec = { workloadIPs: [{ ip: '192.0.2.1' }, { ip: '198.51.100.7' }] };
    const meshTLS = { identity: 'spiffe://mesh.example/vm', serverName: 'vm.mesh.example' };
    const meta = { namespace: 'other', creationTimestamp: '2026-02-01T00:00:00Z' };
    const of = cluster().put(
      'externalWorkloads',
      external('vm', { meshTLS, workloadIPs: [{ ip: '198.51.100.7' }] }),
      external('thief', spec, meta),
    );
    expect(of.profile('192.0.2.1:30080')).toMatchObject({ kind: 'service', service: ofWeb });
    expect(of.profile('198.51.100.7:80')).toMatchObject({
      endpoint: { labels: { external_workload: 'vm' } },
    });
    of.put(
      'externalWorkloads',
      external(
        'vm-2',
        { meshTLS, workloadIPs: spec.workloadIPs },
        { creationTimestamp: '2026-03-01T00:00:00Z' },
      ),
    );
    expect(of.profile('198.51.100.7:80')).toMatchObject({
      endpoint: { labels: { external_workload: 'vm-2' } },
    });
  });

  it('an address that a pod has left is nobody any more', () => {
    const of = cluster().put('pods', pod('web-0', { ips: ['10.1.0.1'], status: { phase: 'Succeeded' } }));
    expect(of.profile('10.1.0.1:8080')).toMatchObject({ endpoint: { identity: undefined, labels: {} } });
  });

  it.each([
    ['services', '10.96.0.1:80', { service: { name: 'later' } }],
    ['pods', '10.1.0.1:80', { endpoint: { labels: { pod: 'later' } } }],
  ] as const)('an address of two %s is that of the newer one', (kind, path, expected) => {
    const meta = { creationTimestamp: '2026-02-01T00:00:00Z' };
    const of = cluster();
    if (kind === 'pods') of.put('pods', pod('later', { ...meta, ips: ['10.1.0.1'] }));
    else of.put('services', service('later', { clusterIPs: ['10.96.0.1'], ports: [{ port: 80 }] }, meta));
    expect(of.profile(path)).toMatchObject(expected);
    of.delete(kind, 'shop/later');
    expect(of.profile(path)).not.toMatchObject(expected);
  });

  it('a pod on the network of its node is found by the ports it declares, and has nothing to prove', () => {
    const ports = [{ containerPort: 9100, hostPort: 9100 }];
    const of = cluster().put(
      'pods',
      pod('exporter', {
        ips: ['192.0.2.1'],
        meshed: false,
        spec: { hostNetwork: true, containers: [{ name: 'app', ports }] },
        status: { hostIP: '192.0.2.1' },
      }),
    );
    expect(of.profile('192.0.2.1:9100')).toMatchObject({
      endpoint: { port: 9100, identity: undefined, labels: { pod: 'exporter' } },
    });
    expect(of.profile('192.0.2.1:9101')).toMatchObject({ endpoint: { labels: {} } });
  });
});

describe('where a client is', () => {
  it.each([
    ['by its node', { nodeName: 'node-a' }, { node: 'node-a', zone: 'eu-1a' }],
    ['by its pod', { namespace: 'shop', pod: 'web-0' }, { node: 'node-a', zone: 'eu-1a' }],
    ['by its node though it has no zone that is known', { nodeName: 'x' }, { node: 'x', zone: undefined }],
    ['not at all', { namespace: 'shop' }, { node: undefined, zone: undefined }],
  ])('is told %s', (_, client, place) => {
    expect(cluster().source.placeOf(client)).toEqual(place);
  });
});

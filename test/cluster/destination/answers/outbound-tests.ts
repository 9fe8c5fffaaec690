import { identityForwarded, toldOutbound } from '../../../destination/support/told-outbound.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusalOf } from '../../../support/refusal.ts';
import type { HeldStream } from '../support/held-stream.ts';
import type { OutboundPolicy } from '../../../../src/rpc/outbound-policy-api.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { trafficTo } from '../support/served-destination.ts';
import { nodes, Town } from '../support/town.ts';

/** Where proxies send what is dialled, and what they let in, of a real API server. */
export function outboundTests(cluster: TestCluster, served: () => ServedDestination): void {
  const expectTold = (streams: readonly HeldStream<OutboundPolicy>[], expected: readonly string[]) =>
    eventually(() =>
      expect(streams.map(({ last }) => (last === undefined ? undefined : toldOutbound(last)))).toEqual(
        expected,
      ),
    );

  const get = (path: string) => served().outboundPolicy.get(trafficTo(path));

  it('balances what is for a Service over its endpoints, whatever it is dialled by', async () => {
    const town = await Town.create(cluster, 'balanced', 51);
    const spec = { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack' };
    const [four = '', six = ''] = await town.service('web', spec);
    const [{ nodePort = 0 } = {}] = (await town.serviceSpec('web')).ports;
    await served().known(`${four}:80`);
    const name = `web.${town.name}.svc.cluster.local:80`;
    const paths = [
      `${four}:80`,
      `[${six}]:80`,
      `${nodes.n2.ip}:${nodePort}`,
      name,
      `web.${town.name}.svc:80`,
    ];
    const expected = paths.map(() => `detect ${name}`);
    await expectTold(
      paths.map((path) => served().outbound(path)),
      expected,
    );
    expect((await Promise.all(paths.map(get))).map(toldOutbound)).toEqual(expected);
    // What it is told to ask for is answered.
    await town.pod('web-0', 1);
    const endpoints = served().endpoints(`web.${town.name}:80`);
    await eventually(() => expect(endpoints.keys).toEqual([`${town.ip(1)}:8080`]));
  });

  it('leaves the addresses of pods to their profile, and carries what is outside of the cluster to where it was meant for', async () => {
    const town = await Town.create(cluster, 'followed', 52);
    await town.pod('web-0', 1, { dual: true });
    const profile = served().profile(`${town.ip(1)}:8080`);
    await eventually(() => expect(profile.last?.endpoint?.tlsIdentity).toBeDefined());
    for (const path of [`${town.ip(1)}:8080`, `[${town.ip6(1)}]:8080`, '10.250.0.1:80']) {
      expect(await refusalOf(get(path))).toMatch(/^rpc_not_found: /);
      const watched = served().outboundPolicy.watch(trafficTo(path), AbortSignal.timeout(20_000));
      expect(await refusalOf(watched[Symbol.asyncIterator]().next())).toMatch(/^rpc_not_found: /);
    }
    const outside = ['203.0.113.9:443', '[2001:db8::9]:443'];
    await expectTold(
      outside.map((path) => served().outbound(path)),
      ['detect forward', 'detect forward'],
    );
    expect((await Promise.all(outside.map(get))).map(toldOutbound)).toEqual([
      'detect forward',
      'detect forward',
    ]);
  });

  it('carries what is outside of the cluster with the identity of a machine of the mesh that is there, while it is', async () => {
    const town = await Town.create(cluster, 'machines', 55);
    const stream = served().outbound('203.0.113.77:8080');
    const forwarded = () => stream.last && identityForwarded(stream.last);
    await expectTold([stream], ['detect forward']);
    expect(forwarded()).toBeUndefined();
    const meshTLS = { identity: 'spiffe://cluster.local/vm', serverName: 'vm.cluster.local' };
    await town.create('ExternalWorkload', {
      metadata: { name: 'vm' },
      ...{ apiVersion: 'workload.linkerd.io/v1beta1', kind: 'ExternalWorkload' },
      ...{ spec: { meshTLS, workloadIPs: [{ ip: '203.0.113.77' }] } },
    });
    await eventually(() => expect(forwarded()).toBe('vm.cluster.local'));
    await town.service('vm', { selector: { app: 'vm' } });
    const endpoints = served().endpoints(`vm.${town.name}:80`);
    await eventually(() => expect([endpoints.exists, endpoints.keys]).toEqual([true, []]));
    await town.patch('ExternalWorkload', 'vm', { metadata: { labels: { app: 'vm' } } });
    const conditions = [{ type: 'Ready', status: 'True' }];
    await town.patch('ExternalWorkload', 'vm', { status: { conditions } }, '/status');
    await eventually(() => expect(endpoints.keys).toEqual(['203.0.113.77:8080']));
    expect(endpoints.at('203.0.113.77:8080')?.tlsIdentity).toMatchObject({
      strategy: { $case: 'uriLikeIdentity', value: { uri: meshTLS.identity } },
      serverName: { name: meshTLS.serverName },
    });
    await town.delete('ExternalWorkload', 'vm');
    await eventually(() => expect([forwarded(), endpoints.keys]).toEqual([undefined, []]));
  });

  it('tells an open stream of a port that comes, turns opaque and goes, and of a Service that takes the address of another', async () => {
    const town = await Town.create(cluster, 'moving', 53);
    const [ip = ''] = await town.service('web');
    await served().known(`${ip}:80`);
    const streams = [80, 81].map((port) => served().outbound(`${ip}:${port}`));
    const of = (name: string, port: number) => `${name}.${town.name}.svc.cluster.local:${port}`;
    await expectTold(streams, [`detect ${of('web', 80)}`, 'opaque forbidden']);
    const ports = [
      { name: 'one', port: 80, targetPort: 8080 },
      { name: 'two', port: 81, targetPort: 8080 },
    ];
    await town.patch('Service', 'web', { spec: { ports } });
    await expectTold(streams, [`detect ${of('web', 80)}`, `detect ${of('web', 81)}`]);
    await town.annotate({ 'config.linkerd.io/opaque-ports': '81' }, ['Service', 'web']);
    await expectTold(streams, [`detect ${of('web', 80)}`, `opaque ${of('web', 81)}`]);
    await town.patch('Service', 'web', { spec: { ports: ports.slice(1) } });
    await expectTold(streams, ['opaque forbidden', `opaque ${of('web', 81)}`]);
    await town.delete('Service', 'web');
    await eventually(() => town.service('heir', { clusterIP: ip }));
    await expectTold(streams, [`detect ${of('heir', 80)}`, 'opaque forbidden']);
  });

  it('tells a proxy what it lets in once its pod is known, and of each change, on the stream it has open', async () => {
    const town = await Town.create(cluster, 'inbound', 54);
    const workloads = [JSON.stringify({ ns: town.name, pod: 'web-0' }), `${town.name}:web-0`];
    const ask = (workload: string) => ({ workload, port: 8080 });
    const streams = workloads.map((workload) =>
      served().hold((signal) => served().inboundPolicy.watchPort(ask(workload), signal)),
    );
    expect(await refusalOf(served().inboundPolicy.getPort(ask(workloads[1]!)))).toMatch(/^rpc_not_found: /);
    await town.pod('web-0', 1);
    const names = () => streams.map(({ last }) => last?.labels['name']);
    await eventually(() => expect(names()).toEqual(['all-unauthenticated', 'all-unauthenticated']));
    await town.annotate({ 'config.linkerd.io/default-inbound-policy': 'all-authenticated' });
    await eventually(() => expect(names()).toEqual(['all-authenticated', 'all-authenticated']));
    await town.annotate({ 'config.linkerd.io/default-inbound-policy': 'deny' }, ['Pod', 'web-0']);
    await eventually(() => expect(names()).toEqual(['deny', 'deny']));
    expect(streams.map(({ last }) => last?.authorizations)).toEqual([[], []]);
    expect((await served().inboundPolicy.getPort(ask(workloads[0]!))).labels['name']).toBe('deny');
  });
}

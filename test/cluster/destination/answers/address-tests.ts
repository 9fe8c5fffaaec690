import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { nodes, Town } from '../support/town.ts';

const meshOf = (controlNamespace: string | null) => ({ 'linkerd.io/control-plane-ns': controlNamespace });

/** What an address is, and what must be proven there. */
export function addressTests(cluster: TestCluster, served: () => ServedDestination): void {
  it('tells of the address of a meshed pod, of each family and at any port, what the pod must prove', async () => {
    const town = await Town.create(cluster, 'meshed', 21);
    await town.create('ServiceAccount', { metadata: { name: 'front.v2' } });
    await town.pod('web-0', 1, { dual: true, spec: { serviceAccountName: 'front.v2' } });
    await town.pod('web-1', 2);
    const paths = [`${town.ip(1)}:8080`, `[${town.ip6(1)}]:8080`, `${town.ip(1)}:1234`, `${town.ip(2)}:8080`];
    const profiles = paths.map((path) => served().profile(path));
    const named = ['front.v2', 'front.v2', 'front.v2', 'default'].map((account) => town.identity(account));
    const names = () => profiles.map(({ last }) => last?.endpoint?.tlsIdentity?.serverName?.name);
    await eventually(() => expect(names()).toEqual(named));
    expect(profiles[0]?.last?.endpoint).toMatchObject({
      protocolHint: { opaqueTransport: { inboundPort: 4143 } },
      metricLabels: { pod: 'web-0', serviceaccount: 'front.v2', namespace: town.name, zone: nodes.n1.zone },
    });
    const before = profiles.map(({ messages }) => messages);
    // The account is a name of the pod: whether there is such an object (any more) changes nothing of what it proves.
    await town.delete('ServiceAccount', 'front.v2');
    const late = served().profile(`${town.ip(1)}:8080`);
    await eventually(() => expect(late.last?.endpoint?.tlsIdentity?.serverName?.name).toBe(named[0]));
    expect(names()).toEqual(named);
    expect(profiles.map(({ messages }) => messages)).toEqual(before);
  });

  it('tells no identity of a pod without the mesh or of another, and of one that joins at once', async () => {
    const town = await Town.create(cluster, 'unmeshed', 22);
    await town.service('web');
    await town.pod('plain', 1, { labels: meshOf(null) });
    await town.pod('foreign', 2, { labels: meshOf('linkerd') });
    await town.pod('meshed', 3);
    const keys = [1, 2, 3].map((number) => `${town.ip(number)}:8080`);
    const web = served().endpoints(`web.${town.name}:80`);
    const profiles = keys.map((path) => served().profile(path));
    const told = () => [
      keys.map((key) => web.at(key)?.tlsIdentity?.serverName?.name),
      profiles.map(({ last }) => last?.endpoint?.tlsIdentity?.serverName?.name),
    ];
    const name = town.identity('default');
    const expectTold = (...expected: (string | undefined)[]) =>
      eventually(() => expect([web.keys, ...told()]).toEqual([keys, expected, expected]));
    await expectTold(undefined, undefined, name);
    for (const key of keys.slice(0, 2)) {
      expect(web.at(key)?.protocolHint?.opaqueTransport).toBeUndefined();
    }
    await town.patch('Pod', 'plain', { metadata: { labels: meshOf('kedge') } });
    await town.patch('Pod', 'meshed', { metadata: { labels: meshOf(null) } });
    await expectTold(name, undefined, undefined);
  });

  it('knows a Service by its cluster address of each family and by its port on every node', async () => {
    const town = await Town.create(cluster, 'addressed', 23);
    const spec = { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack' };
    const [four = '', six = ''] = await town.service('web', spec);
    const [{ nodePort = 0 } = {}] = (await town.serviceSpec('web')).ports;
    const paths = [`${four}:80`, `[${six}]:80`, ...Object.values(nodes).map(({ ip }) => `${ip}:${nodePort}`)];
    const profiles = paths.map((path) => served().profile(path));
    const names = () => profiles.map(({ last }) => last?.fullyQualifiedName);
    const name = `web.${town.name}.svc.cluster.local`;
    await eventually(() => expect(names()).toEqual(paths.map(() => name)));
    const undefinedPort = served().profile(`${four}:81`);
    await eventually(() =>
      expect(undefinedPort.last).toMatchObject({ fullyQualifiedName: name, parentRef: undefined }),
    );
    await town.patch('Service', 'web', {
      spec: { type: 'ClusterIP', ports: [{ port: 80, nodePort: null }] },
    });
    await eventually(() => expect(names()).toEqual([name, name, ...Object.keys(nodes).map(() => '')]));
    expect(profiles[2]?.last?.endpoint?.tlsIdentity).toBeUndefined();
  });

  it('leads a host port to the pod behind it, and tells what is known of nobody as it is', async () => {
    const town = await Town.create(cluster, 'hosted', 24);
    const ports = [{ containerPort: 8080, hostPort: 18_080 }];
    const containers = [{ name: 'app', image: 'app', ports }];
    const hosted = served().profile(`${nodes.n2.ip}:18080`);
    const nobody = served().profile('198.51.100.9:443');
    await eventually(() => {
      for (const { last } of [hosted, nobody]) {
        expect(last?.endpoint?.addr?.ip).toBeDefined();
        expect(last?.endpoint?.tlsIdentity).toBeUndefined();
      }
    });
    await town.pod('web-0', 1, { node: 'n2', spec: { containers } });
    await eventually(() =>
      expect(hosted.last?.endpoint).toMatchObject({
        addr: { port: 8080 },
        tlsIdentity: { serverName: { name: town.identity('default') } },
        metricLabels: { pod: 'web-0' },
      }),
    );
    await town.delete('Pod', 'web-0');
    await eventually(() =>
      expect(hosted.last?.endpoint).toMatchObject({ addr: { port: 18_080 }, tlsIdentity: undefined }),
    );
  });

  it('tells a pod that was made anew under its name, and another at the address that it had, by what is there now', async () => {
    const town = await Town.create(cluster, 'anew', 25);
    await town.create('ServiceAccount', { metadata: { name: 'heir' } });
    await town.service('db', { clusterIP: 'None' });
    const hostname = { hostname: 'db-0', subdomain: 'db' };
    await town.pod('db-0', 1, { spec: hostname });
    const instance = served().endpoints(`db-0.db.${town.name}:80`);
    const [old, made] = [1, 2].map((number) => `${town.ip(number)}:8080`) as [string, string];
    const address = served().profile(old);
    const name = (account: string) => town.identity(account);
    await eventually(() => {
      expect(instance.at(old)?.tlsIdentity?.serverName?.name).toBe(name('default'));
      expect(address.last?.endpoint?.tlsIdentity?.serverName?.name).toBe(name('default'));
    });
    await town.delete('Pod', 'db-0');
    await town.pod('db-0', 2, { spec: { ...hostname, serviceAccountName: 'heir' } });
    await eventually(() => {
      expect(instance.keys).toEqual([made]);
      expect(instance.at(made)?.tlsIdentity?.serverName?.name).toBe(name('heir'));
      expect(address.last?.endpoint?.tlsIdentity).toBeUndefined();
    });
    await town.pod('other', 1, { labels: { app: 'other' }, spec: { serviceAccountName: 'heir' } });
    await eventually(() => expect(address.last?.endpoint?.tlsIdentity?.serverName?.name).toBe(name('heir')));
    expect(instance.keys).toEqual([made]);
  });
}

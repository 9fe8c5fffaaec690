import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { Town } from '../support/town.ts';

/** Which endpoints a Service has, as the controllers of Kubernetes make its slices. */
export function serviceTests(cluster: TestCluster, served: () => ServedDestination): void {
  it('tells the pods of a headless Service together and by their names, and a name that is nobody yet when it comes', async () => {
    const town = await Town.create(cluster, 'headless', 1);
    const ports = [{ name: 'sql', port: 5432, targetPort: 5433 }];
    expect(await town.service('db', { clusterIP: 'None', ports })).toEqual(['None']);
    const named = (name: string) => ({ spec: { hostname: name, subdomain: 'db' } });
    await town.pod('db-0', 1, named('db-0'));
    await town.pod('db-1', 2, named('db-1'));
    const all = served().endpoints(`db.${town.name}:5432`);
    const [first, later] = ['db-1', 'db-2'].map((name) => served().endpoints(`${name}.db.${town.name}:5432`));
    const profile = served().profile(`db-1.db.${town.name}:5432`);
    const laterProfile = served().profile(`db-2.db.${town.name}:5432`);
    const [a, b, c] = [1, 2, 3].map((number) => `${town.ip(number)}:5433`);
    await eventually(() => {
      expect(all.keys).toEqual([a, b]);
      expect(first?.keys).toEqual([b]);
      expect(later?.exists).toBe(false);
      expect(profile.last?.endpoint?.metricLabels['pod']).toBe('db-1');
      expect(laterProfile.last).toMatchObject({ endpoint: undefined, parentRef: undefined });
    });
    const before = first?.messages;
    await town.pod('db-2', 3, named('db-2'));
    await eventually(() => {
      expect(all.keys).toEqual([a, b, c]);
      expect(later?.keys).toEqual([c]);
      expect(laterProfile.last?.endpoint?.tlsIdentity?.serverName?.name).toBe(town.identity('default'));
    });
    expect(first?.messages).toBe(before);
  });

  it('tells what is not ready only where the Service publishes it', async () => {
    const town = await Town.create(cluster, 'unready', 2);
    await town.service('web');
    await town.service('early', { publishNotReadyAddresses: true });
    const [web, early] = ['web', 'early'].map((name) => served().endpoints(`${name}.${town.name}:80`));
    await town.pod('web-0', 1, { ready: false });
    await eventually(() => expect(early?.keys).toEqual([`${town.ip(1)}:8080`]));
    expect([web?.exists, web?.keys]).toEqual([true, []]);
    await town.setReady('web-0', 1, true);
    await eventually(() => expect(web?.keys).toEqual([`${town.ip(1)}:8080`]));
    await town.setReady('web-0', 1, false);
    await eventually(() => expect(web?.keys).toEqual([]));
    expect([web?.exists, early?.keys]).toEqual([true, [`${town.ip(1)}:8080`]]);
  });

  it('tells pods that end and still serve where there are no others', async () => {
    const town = await Town.create(cluster, 'ending', 3);
    await town.service('web');
    const web = served().endpoints(`web.${town.name}:80`);
    await town.pod('web-0', 1);
    await town.pod('web-1', 2);
    const [a, b] = [1, 2].map((number) => `${town.ip(number)}:8080`);
    await eventually(() => expect(web.keys).toEqual([a, b]));
    await town.delete('Pod', 'web-0', 60);
    await eventually(() => expect(web.keys).toEqual([b]));
    await town.delete('Pod', 'web-1', 60);
    await eventually(() => expect(web.keys).toEqual([a, b]));
    await town.setReady('web-0', 1, false);
    await eventually(() => expect(web.keys).toEqual([b]));
    await town.delete('Pod', 'web-1');
    await eventually(() => expect([web.exists, web.keys]).toEqual([true, []]));
  });

  it('leads a port to where each pod has it: by number, by name, and over TCP where UDP has the same number', async () => {
    const town = await Town.create(cluster, 'ports', 4);
    const ports = [
      { name: 'named', port: 80, targetPort: 'web' },
      { name: 'numbered', port: 81, targetPort: 9000 },
      { name: 'dns-udp', port: 53, targetPort: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, targetPort: 5354 },
      { name: 'datagrams', port: 123, protocol: 'UDP' },
    ];
    await town.service('web', { ports });
    const watched = [80, 81, 53, 123].map((port) => served().endpoints(`web.${town.name}:${port}`));
    for (const [i, containerPort] of [8080, 8081].entries()) {
      const containers = [{ name: 'app', image: 'app', ports: [{ name: 'web', containerPort }] }];
      await town.pod(`web-${i}`, i + 1, { spec: { containers } });
    }
    const at = (...ports: number[]) => ports.map((port, i) => `${town.ip(i + 1)}:${port}`);
    const expected = [at(8080, 8081), at(9000, 9000), at(5354, 5354), []];
    await eventually(() => expect(watched.map(({ keys }) => keys)).toEqual(expected));
    expect(watched.map(({ exists }) => exists)).toEqual([true, true, true, false]);
  });

  it('says on an open stream that ExternalNames and unknown names have nothing, and what they have later', async () => {
    const town = await Town.create(cluster, 'names', 5);
    await town.service('away', { type: 'ExternalName', externalName: 'away.example' });
    await town.pod('web-0', 1);
    const names = ['away', 'nobody'];
    const sets = names.map((name) => served().endpoints(`${name}.${town.name}:80`));
    const profiles = names.map((name) => served().profile(`${name}.${town.name}:80`));
    await eventually(() => {
      expect(sets.map(({ exists }) => exists)).toEqual([false, false]);
      for (const [i, name] of names.entries()) {
        const fullyQualifiedName = `${name}.${town.name}.svc.cluster.local`;
        expect(profiles[i]?.last).toMatchObject({ fullyQualifiedName, parentRef: undefined });
      }
    });
    await town.patch('Service', 'away', { spec: { type: 'ClusterIP', externalName: null } });
    await town.service('nobody');
    await eventually(() => {
      for (const set of sets) expect(set.keys).toEqual([`${town.ip(1)}:8080`]);
      for (const { last } of profiles) expect(last?.parentRef?.kind?.value).toMatchObject({ port: 80 });
    });
    await town.delete('Service', 'nobody');
    await eventually(() => expect([sets[1]?.exists, sets[1]?.keys]).toEqual([false, []]));
  });
}

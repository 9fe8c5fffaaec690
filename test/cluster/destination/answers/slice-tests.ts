import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { slice } from '../support/objects.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { Town } from '../support/town.ts';

/** What slices of every shape come to. */
export function sliceTests(cluster: TestCluster, served: () => ServedDestination): void {
  it('tells an address once that several slices have, ready where one says so, until the last has lost it', async () => {
    const town = await Town.create(cluster, 'several', 11);
    await town.service('web', { selector: undefined });
    const [a, b, c] = [1, 2, 3].map((number) => town.ip(number)) as [string, string, string];
    const ready = (address: string) => ({ address });
    const ending = (address: string) => ({ address, ending: true });
    await town.create('EndpointSlice', slice('one', 'web', [ending(a), ready(b)]));
    await town.create('EndpointSlice', slice('two', 'web', [ready(a), ready(b)]));
    await town.create('EndpointSlice', slice('other', 'elsewhere', [ready(c)]));
    const web = served().endpoints(`web.${town.name}:80`);
    await eventually(() => expect(web.keys).toEqual([`${a}:8080`, `${b}:8080`]));
    await town.delete('EndpointSlice', 'two');
    await eventually(() => expect(web.keys).toEqual([`${b}:8080`]));
    await town.patch('EndpointSlice', 'other', {
      metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    });
    await eventually(() => expect(web.keys).toEqual([`${b}:8080`, `${c}:8080`]));
  });

  it('tells endpoints of each family, and a pod of both with its address of the first one of the Service', async () => {
    const town = await Town.create(cluster, 'families', 12);
    const dual = { ipFamilyPolicy: 'RequireDualStack' };
    await town.service('four', { ...dual, ipFamilies: ['IPv4', 'IPv6'] });
    await town.service('six', { ...dual, ipFamilies: ['IPv6', 'IPv4'] });
    await town.service('hand', { ...dual, selector: undefined });
    const streams = ['four', 'six', 'hand'].map((name) => served().endpoints(`${name}.${town.name}:80`));
    await town.pod('web-0', 1, { dual: true });
    const old = slice('hand-4', 'hand', [{ address: town.ip(8) }]);
    const six = { ...slice('hand-6', 'hand', [{ address: town.ip6(9) }]), addressType: 'IPv6' };
    for (const body of [old, six]) await town.create('EndpointSlice', body);
    await eventually(() =>
      expect(streams.map(({ keys }) => keys)).toEqual([
        [`${town.ip(1)}:8080`],
        [`[${town.ip6(1)}]:8080`],
        [`${town.ip(8)}:8080`, `[${town.ip6(9)}]:8080`],
      ]),
    );
  });

  it('does not tell a pod at an address that is not its own, whatever a slice says', async () => {
    const town = await Town.create(cluster, 'claimed', 13);
    await town.service('web', { selector: undefined });
    await town.pod('web-0', 1);
    await town.pod('plain', 2, { labels: { 'linkerd.io/control-plane-ns': 'another' } });
    const claims = [{ address: town.ip(1), pod: 'plain' }, { address: town.ip(2) }];
    await town.create('EndpointSlice', slice('claims', 'web', claims));
    const web = served().endpoints(`web.${town.name}:80`);
    await eventually(() => expect(web.keys).toEqual([`${town.ip(2)}:8080`]));
    await town.delete('Pod', 'plain');
    await town.patch('EndpointSlice', 'claims', slice('claims', 'web', [{ address: town.ip(1) }]));
    await eventually(() => expect(web.keys).toEqual([`${town.ip(1)}:8080`]));
    expect(web.at(`${town.ip(1)}:8080`)?.tlsIdentity?.serverName?.name).toBe(town.identity('default'));
  });

  it('takes endpoints that were written in the older way, and passes over what is no address or no port', async () => {
    const town = await Town.create(cluster, 'older', 14);
    for (const name of ['older', 'odd']) await town.service(name, { selector: undefined });
    const [older, odd] = ['older', 'odd'].map((name) => served().endpoints(`${name}.${town.name}:80`));
    await town.create('Endpoints', {
      metadata: { name: 'older' },
      ...{ subsets: [{ addresses: [{ ip: '203.0.113.8' }], ports: [{ port: 8443 }] }] },
    });
    const named = { ...slice('named', 'odd', [{ address: 'web.example' }]), addressType: 'FQDN' };
    const any = { ...slice('any', 'odd', [{ address: town.ip(1) }]), ports: [{ name: '', protocol: 'TCP' }] };
    const none = { ...slice('none', 'odd', [{ address: town.ip(2) }]), ports: [] };
    const good = slice('good', 'odd', [{ address: town.ip(3) }]);
    for (const body of [named, any, none, good]) await town.create('EndpointSlice', body);
    await eventually(() => {
      expect(older?.keys).toEqual(['203.0.113.8:8443']);
      expect(odd?.keys).toEqual([`${town.ip(3)}:8080`]);
    });
  });
}

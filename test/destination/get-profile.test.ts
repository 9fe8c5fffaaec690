import type { DestinationProfile } from '../../src/rpc/destination-api.ts';
import { refusalOf } from '../support/refusal.ts';
import { Reader } from './support/reader.ts';
import { shopFile } from './support/shop-file.ts';
import { startStand } from './support/stand.ts';
import type { Stand } from './support/stand.ts';

function open(stand: Stand, path: string, contextToken = ''): Reader<DestinationProfile> {
  return new Reader((signal) => stand.destination.getProfile({ scheme: '', path, contextToken }, signal));
}

describe('GetProfile', () => {
  it.each([
    ['api.shop.svc.cluster.local:7000', 'api.shop.svc.cluster.local'],
    ['10.96.0.10:7000', 'api.shop.svc.cluster.local'],
    ['later.shop.svc.cluster.local:80', 'later.shop.svc.cluster.local'],
  ])('answers %s with the name to ask for endpoints', async (path, fullyQualifiedName) => {
    await using stand = await startStand({ file: shopFile });
    await using stream = open(stand, path);
    expect(await stream.next()).toMatchObject({
      fullyQualifiedName,
      endpoint: undefined,
      opaqueProtocol: false,
    });
  });

  it('answers the address of a workload with one endpoint and what it must prove', async () => {
    await using stand = await startStand({ file: shopFile });
    await using stream = open(stand, '10.1.0.5:7000', '{"nodeName":"node-a"}');
    expect(await stream.next()).toMatchObject({
      fullyQualifiedName: '',
      endpoint: {
        addr: { ip: { ip: { value: 0x0a010005 } }, port: 7000 },
        metricLabels: { pod: 'api-0', namespace: 'shop', zone: 'eu-1a', zone_locality: 'local' },
        tlsIdentity: { serverName: { name: 'api.shop.serviceaccount.identity.kedge.mesh.example' } },
        protocolHint: { opaqueTransport: { inboundPort: 4143 } },
      },
    });
  });

  it('answers an address nobody knows with that address and nothing to prove', async () => {
    await using stand = await startStand({ file: shopFile });
    await using stream = open(stand, '192.0.2.1:443');
    const { endpoint } = await stream.next();
    expect(endpoint).toMatchObject({ addr: { ip: { ip: { value: 0xc0000201 } }, port: 443 } });
    expect(endpoint?.tlsIdentity).toBeUndefined();
  });

  it('tells on the same stream what becomes of a target, and nothing else', async () => {
    await using stand = await startStand({ file: 'services: {}' });
    await using stream = open(stand, 'api.shop.svc.cluster.local:80');
    expect((await stream.next()).parentRef).toBeUndefined();
    stand.use('services: {shop/other: {ports: {80: {}}}}');
    stand.use('services: {shop/api: {ports: {80: {}}}}');
    expect((await stream.next()).parentRef?.kind).toMatchObject({
      value: { kind: 'Service', name: 'api', port: 80 },
    });
    stand.use('services: {shop/api: {ports: {80: {opaque: true}}}}');
    expect((await stream.next()).opaqueProtocol).toBe(true);
  });

  it.each([['example.com:443'], ['api.shop.svc.cluster.local:0'], ['']])(
    'refuses %j for good',
    async (path) => {
      await using stand = await startStand({ file: shopFile });
      await using stream = open(stand, path);
      expect(await refusalOf(stream.next())).toMatch(/^rpc_invalid_argument: .*expected /);
    },
  );

  it('shares one subscription among spellings of one target', async () => {
    await using stand = await startStand({ file: shopFile });
    await using first = open(stand, 'api.shop.svc.cluster.local:7000');
    await using second = open(stand, 'API.shop.svc.cluster.local.:7000');
    await Promise.all([first.next(), second.next()]);
    expect(await stand.metric('kedge_destination_subscriptions{api="get_profile"}')).toBe(1);
    expect(await stand.metric('kedge_destination_streams{api="get_profile"}')).toBe(2);
  });
});

import type { OutboundPolicy } from '../../src/rpc/outbound-policy-api.ts';
import { toTcpAddress } from '../../src/rpc/ip-message.ts';
import { IpAddress } from '../../src/runtime/ip-address.ts';
import { refusalOf } from '../support/refusal.ts';
import { Reader } from './support/reader.ts';
import { startStand } from './support/stand.ts';
import type { Stand } from './support/stand.ts';
import { identityForwarded, toldOutbound } from './support/told-outbound.ts';

const file = (parts = '') => `
workloads: {shop/api-0: {addresses: [10.1.0.5]}}
services: {shop/api: {clusterIPs: [10.96.0.5], ports: {80: {endpoints: [{workload: shop/api-0, port: 8080}]${parts}}}}}
`;

const sourceWorkload = '{"ns":"shop","pod":"web-0"}';
const at = (address: string, port = 80) =>
  ({ $case: 'addr', value: toTcpAddress(IpAddress.parse(address)!, port) }) as const;
const named = (value: string) => ({ $case: 'authority', value }) as const;

function open(stand: Stand, target: ReturnType<typeof at | typeof named>): Reader<OutboundPolicy> {
  return new Reader((signal) => stand.outboundPolicy.watch({ sourceWorkload, target }, signal));
}

const api = 'api.shop.svc.cluster.local:80';

describe('Watch of OutboundPolicies', () => {
  it.each([
    ['a cluster address', at('10.96.0.5'), `detect ${api}`],
    ['the name of a service', named(api), `detect ${api}`],
    ['a name as tools shorten it', named('api.shop.svc:80'), `detect ${api}`],
    ['a port that is not defined', at('10.96.0.5', 81), 'opaque forbidden'],
    ['a service that is not there', named('gone.shop.svc.cluster.local:80'), 'opaque forbidden'],
    ['an address outside of the cluster', at('203.0.113.9', 443), 'detect forward'],
    ['an IPv6 address outside of the cluster', at('2001:db8::9', 443), 'detect forward'],
  ])('answers at once for %s', async (_, target, expected) => {
    await using stand = await startStand({ file: file() });
    await using stream = open(stand, target);
    expect(toldOutbound(await stream.next())).toBe(expected);
  });

  it('says of the addresses of pods, and of others in the cluster, that the profile speaks for them', async () => {
    await using stand = await startStand({ file: file() });
    for (const address of ['10.1.0.5', '10.9.9.9']) {
      await using stream = open(stand, at(address));
      expect(await refusalOf(stream.next())).toContain('rpc_not_found: expected a service');
    }
  });

  it('pushes what changes, and nothing else', async () => {
    await using stand = await startStand({ file: file() });
    await using stream = open(stand, at('10.96.0.5'));
    expect(toldOutbound(await stream.next())).toBe(`detect ${api}`);
    stand.use(file().replace('8080', '8081'));
    stand.use(file(', opaque: true'));
    expect(toldOutbound(await stream.next())).toBe(`opaque ${api}`);
    stand.use(file().replace('80:', '90:'));
    expect(toldOutbound(await stream.next())).toBe('opaque forbidden');
  });

  it('tells of the identity of a machine outside of the cluster that becomes one of the mesh', async () => {
    await using stand = await startStand({ file: file() });
    await using stream = open(stand, at('203.0.113.9', 443));
    expect(identityForwarded(await stream.next())).toBeUndefined();
    stand.use(
      'workloads: {shop/vm: {addresses: [203.0.113.9], serviceAccount: vm, proxy: {inboundPort: 4143}}}',
    );
    const identity = 'vm.shop.serviceaccount.identity.kedge.mesh.example';
    expect(identityForwarded(await stream.next())).toBe(identity);
  });

  it('leaves a target that is a service no more with the policy it has', async () => {
    await using stand = await startStand({ file: file() });
    await using stream = open(stand, at('10.96.0.5'));
    await stream.next();
    stand.use('services: {}');
    stand.use(file(', opaque: true'));
    expect(toldOutbound(await stream.next())).toBe(`opaque ${api}`);
  });

  it('waits until something has been loaded', async () => {
    await using stand = await startStand({ file: undefined });
    await using stream = open(stand, named(api));
    const first = stream.next();
    stand.use(file());
    expect(toldOutbound(await first)).toBe(`detect ${api}`);
  });

  it('shares one subscription among those who ask for the same', async () => {
    await using stand = await startStand({ file: file() });
    await using first = open(stand, named(api));
    await using second = open(stand, named('API.shop.svc.cluster.local.:80'));
    expect(await first.next()).toEqual(await second.next());
    expect(await stand.metric('kedge_destination_subscriptions{api="watch_outbound"}')).toBe(1);
    expect(await stand.metric('kedge_destination_streams{api="watch_outbound"}')).toBe(2);
  });

  it.each([
    ['a workload that is none', 'web-0', named(api), 'expected {"ns": "...", "pod": "..."}, '],
    ['port 0', sourceWorkload, at('10.96.0.5', 0), 'expected an address with a port from 1 to 65535'],
    [
      'no target',
      sourceWorkload,
      undefined,
      'expected an address with a port from 1 to 65535, or an authority, got none',
    ],
    ['an authority that is none', sourceWorkload, named(':80'), 'expected host:port'],
  ])('refuses %s for good', async (_, workload, target, message) => {
    await using stand = await startStand({ file: file() });
    const request = { sourceWorkload: workload, target };
    await using stream = new Reader((signal) => stand.outboundPolicy.watch(request, signal));
    expect(await refusalOf(stream.next())).toContain(`rpc_invalid_argument: ${message}`);
  });

  it('leaves names outside of the cluster to the profile', async () => {
    await using stand = await startStand({ file: file() });
    await using stream = open(stand, named('example.com:443'));
    expect(await refusalOf(stream.next())).toContain('rpc_not_found');
  });
});

describe('Get of OutboundPolicies', () => {
  it('answers once', async () => {
    await using stand = await startStand({ file: file() });
    const get = (target: ReturnType<typeof at>) => stand.outboundPolicy.get({ sourceWorkload, target });
    expect(toldOutbound(await get(at('10.96.0.5')))).toBe(`detect ${api}`);
    expect(await refusalOf(get(at('10.1.0.5')))).toContain('rpc_not_found');
  });
});

import { authorize } from '../../../src/proxy/inbound/authorize.ts';
import type { Client } from '../../../src/proxy/inbound/authorize.ts';
import { defaultPolicy } from '../../../src/proxy/inbound/default-policy.ts';
import type { DefaultPolicyName } from '../../../src/proxy/inbound/default-policy.ts';
import { readPolicy } from '../../../src/proxy/inbound/read-policy.ts';
import { invalidPolicy } from '../../../src/proxy/inbound/server-policy.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';
import { answer, anyone, authz, meshed, named } from './answers.ts';

const web = 'web.shop.serviceaccount.identity.kedge.cluster.local';
const uri = 'spiffe://cluster.local/ns/shop/sa/web';
const plain = (ip: string): Client => ({ ip, mesh: undefined });
const mesh = (id: string | undefined, ip = '10.0.0.9'): Client => ({ ip, mesh: { id } });
const by = (...rules: Parameters<typeof authz>[]) => readPolicy(answer(rules.map((rule) => authz(...rule))));
const ipv4 = (value: number, prefixLen: number) => ({
  ip: { ip: { $case: 'ipv4' as const, value } },
  prefixLen,
});

describe('authorization', () => {
  it.each<[string, Parameters<typeof authz>, Client, boolean]>([
    ['lets anyone in where anyone may', [anyone], plain('10.0.0.9'), true],
    ['lets nobody in without mesh TLS where it is wanted', [meshed], plain('10.0.0.9'), false],
    ['lets mesh TLS in without an identity where that is enough', [meshed], mesh(undefined), true],
    ['lets an identity in by its exact name', [named([web])], mesh(web), true],
    ['lets a URI in by its exact text', [named([uri])], mesh(uri), true],
    ['keeps another identity out', [named([web])], mesh(`x${web}`), false],
    ['keeps mesh TLS without an identity out where one is wanted', [named([web])], mesh(undefined), false],
    [
      'lets an identity in by its ending',
      [named([], [['serviceaccount', 'identity', 'kedge', 'cluster', 'local']])],
      mesh(web),
      true,
    ],
    [
      'does not take a part of a label for an ending',
      [named([], [['hop', 'serviceaccount', 'identity', 'kedge', 'cluster', 'local']])],
      mesh(web),
      false,
    ],
    ['does not take the whole name for its ending', [named([], [web.split('.')])], mesh(web), false],
    ['lets every DNS identity in by the empty ending', [named([], [[]])], mesh(web), true],
    ['never lets a URI in by an ending', [named([], [[]])], mesh(uri), false],
    ['lets nobody in where no identity is named', [named([])], mesh(web), false],
  ])('%s', (_what, rule, client, allowed) => {
    expect(authorize(by(rule), client) !== undefined).toBe(allowed);
  });

  it('looks at the address of the client, holes in a network included', () => {
    const policy = by([anyone, [{ net: ipv4(0x0a000000, 8), except: [ipv4(0x0a010000, 16)] }]]);
    expect(authorize(policy, plain('10.2.0.1'))).toBeDefined();
    expect(authorize(policy, plain('10.1.0.1'))).toBeUndefined();
    expect(authorize(policy, plain('11.0.0.1'))).toBeUndefined();
    expect(authorize(policy, plain('fd00::1'))).toBeUndefined();
  });

  it('answers with the first that fits', () => {
    const policy = by([named([web])], [meshed]);
    expect(authorize(policy, mesh(web))).toBe(policy.authorizations[0]);
    expect(authorize(policy, mesh(undefined))).toBe(policy.authorizations[1]);
  });

  it.each([
    ['127.0.0.1', 'localhost'],
    ['::1', 'localhost'],
    ['127.0.0.2', undefined],
  ])('lets this host in whatever the policy is: %s', (ip, name) => {
    expect(authorize(by([named([])]), plain(ip))?.labels.name).toBe(name);
  });

  it('lets nobody in by an invalid policy, not even this host', () => {
    expect(authorize(invalidPolicy, plain('127.0.0.1'))).toBeUndefined();
  });
});

describe('the default policies', () => {
  const cluster = IpNetwork.parse('10.0.0.0/8')!;
  const allows = (name: DefaultPolicyName, client: Client): boolean =>
    authorize(defaultPolicy({ name, clusterNetworks: [cluster], opaque: false }), client) !== undefined;

  it.each<[DefaultPolicyName, boolean, boolean, boolean, boolean]>([
    // plain outside, plain inside, mesh outside, mesh inside the cluster's networks
    ['all-unauthenticated', true, true, true, true],
    ['audit', true, true, true, true],
    ['all-authenticated', false, false, true, true],
    ['cluster-unauthenticated', false, true, false, true],
    ['cluster-authenticated', false, false, false, true],
    ['deny', false, false, false, false],
  ])('%s', (name, plainOutside, plainInside, meshOutside, meshInside) => {
    const seen = [
      allows(name, plain('192.0.2.1')),
      allows(name, plain('10.0.0.1')),
      allows(name, mesh(web, '192.0.2.1')),
      allows(name, mesh(web, '10.0.0.1')),
    ];
    expect(seen).toEqual([plainOutside, plainInside, meshOutside, meshInside]);
    expect(allows(name, plain('127.0.0.1'))).toBe(true);
  });

  it('also hold for IPv6', () => {
    expect(allows('all-unauthenticated', plain('fd00::1'))).toBe(true);
  });

  it('are named in metrics as defaults', () => {
    const policy = defaultPolicy({ name: 'deny', clusterNetworks: [], opaque: true });
    expect(policy).toMatchObject({
      protocol: 'opaque',
      labels: { group: '', kind: 'default', name: 'deny' },
    });
  });
});

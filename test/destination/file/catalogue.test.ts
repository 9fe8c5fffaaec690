import type { Endpoint } from '../../../src/destination/endpoint.ts';
import type { WorkloadIdentity } from '../../../src/pki/workload-identity.ts';
import { IpAddress } from '../../../src/runtime/ip-address.ts';
import { parseTarget } from '../../../src/destination/target.ts';
import type { ServiceTarget } from '../../../src/destination/target.ts';
import { mesh, readText } from '../support/mesh.ts';
import { shopFile } from '../support/shop-file.ts';

const catalogue = readText(shopFile);

function target(path: string) {
  return parseTarget(path, 'cluster.local');
}

function endpoints(path: string): Record<string, Endpoint> {
  return Object.fromEntries(catalogue.endpoints(target(path) as ServiceTarget).endpoints);
}

const api = mesh.identity('shop', 'api');

describe('endpoints of the file', () => {
  it('come from workloads and from plain addresses, with what each must prove', () => {
    const found = endpoints('api.shop.svc.cluster.local:7000');
    expect(Object.keys(found)).toEqual(['10.1.0.5:7000', '10.1.0.6:7001', '10.1.0.7:7000', '10.2.0.9:7000']);
    expect(found['10.1.0.5:7000']).toMatchObject({
      weight: 10_000,
      identity: { dnsName: 'api.shop.serviceaccount.identity.kedge.mesh.example' },
      inboundPort: 4143,
      opaque: false,
      zone: 'eu-1a',
      labels: { pod: 'api-0', serviceaccount: 'api', control_plane_ns: 'kedge', deployment: 'api' },
    });
    expect(found['10.1.0.6:7001']).toMatchObject({
      weight: 500,
      identity: mesh.identity('shop', 'default'),
      inboundPort: undefined,
      zone: 'eu-1b',
    });
    expect(found['10.1.0.7:7000']).toMatchObject({
      identity: undefined,
      zone: undefined,
      labels: { pod: 'legacy-0', serviceaccount: 'default' },
    });
    expect(found['10.2.0.9:7000']).toMatchObject({
      identity: mesh.identity('db', 'main'),
      inboundPort: 4143,
      labels: { serviceaccount: 'main', control_plane_ns: 'kedge' },
    });
  });

  it('have no identity on a port that bypasses the proxy', () => {
    expect(endpoints('api.shop.svc.cluster.local:9001')['10.1.0.5:9001']).toMatchObject({
      identity: undefined,
      inboundPort: undefined,
    });
  });

  it('are dialled through the inbound port where the port is opaque', () => {
    expect(endpoints('db.shop.svc.cluster.local:5432')['10.1.0.5:5432']).toMatchObject({
      identity: api,
      inboundPort: 4143,
      opaque: true,
    });
  });

  it.each([
    ['a port of one HTTP version', 8080],
    ["the proxy's own admin port", 4191],
  ])('are dialled directly at %s', (_, port) => {
    expect(endpoints(`db.shop.svc.cluster.local:${port}`)[`10.1.0.5:${port}`]).toMatchObject({
      identity: api,
      inboundPort: undefined,
      opaque: false,
    });
  });

  it('can be asked for one by one, by the name of the workload or their host name', () => {
    expect(Object.keys(endpoints('api-0.api.shop.svc.cluster.local:7000'))).toEqual(['10.1.0.5:7000']);
    expect(Object.keys(endpoints('far.api.shop.svc.cluster.local:7000'))).toEqual(['10.2.0.9:7000']);
  });

  it.each([
    ['empty.shop.svc.cluster.local:80', true],
    ['empty.shop.svc.cluster.local:81', false],
    ['nobody.shop.svc.cluster.local:80', false],
    ['constructor.shop.svc.cluster.local:80', false],
    ['nobody.api.shop.svc.cluster.local:7000', false],
  ])('of %s are none, and whether it exists is said: %s', (path, exists) => {
    expect(catalogue.endpoints(target(path) as ServiceTarget)).toMatchObject({ size: 0, exists });
  });
});

describe('profiles of the file', () => {
  it.each([
    [
      'api.shop.svc.cluster.local:7000',
      { exists: true, opaque: false, service: { name: 'api', port: 7000 } },
    ],
    [
      '10.96.0.10:7000',
      { exists: true, opaque: false, service: { name: 'api', namespace: 'shop', port: 7000 } },
    ],
    ['10.96.0.10:1', { exists: false, opaque: false, service: { name: 'api', port: 1 } }],
    ['db.shop.svc.cluster.local:5432', { exists: true, opaque: true }],
    ['nobody.shop.svc.cluster.local:80', { exists: false, opaque: false, service: { name: 'nobody' } }],
    ['nobody.api.shop.svc.cluster.local:7000', { exists: false, service: { instance: 'nobody' } }],
  ])('of %s is that of a service', (path, expected) => {
    expect(catalogue.profile(target(path))).toMatchObject({ kind: 'service', ...expected });
  });

  it.each([
    ['api-0.api.shop.svc.cluster.local:7000', { port: 7000, identity: api }],
    ['10.1.0.5:7000', { port: 7000, identity: api, inboundPort: 4143 }],
    ['10.1.0.5:1234', { port: 1234, identity: api, inboundPort: 4143 }],
    ['[fd00::5]:5432', { port: 5432, identity: api, opaque: true }],
    ['10.1.0.5:9005', { port: 9005, identity: undefined }],
    ['10.2.0.9:7000', { port: 7000, identity: mesh.identity('db', 'main') }],
    ['10.2.0.9:7001', { port: 7001, identity: undefined, labels: {} }],
    ['192.0.2.1:443', { port: 443, identity: undefined, inboundPort: undefined, labels: {} }],
  ])('of %s is that of one endpoint', (path, expected) => {
    expect(catalogue.profile(target(path))).toMatchObject({ kind: 'endpoint', endpoint: expected });
  });

  it.each([
    ['', true],
    ['opaque: false, ', false],
  ])('are opaque as an endpoint is, unless the port says otherwise: %j', (said, opaque) => {
    const file = readText(`workloads: {shop/db-0: {addresses: [10.1.0.8], ports: {3306: {protocol: opaque}}}}
services: {shop/db: {ports: {3306: {${said}endpoints: [{workload: shop/db-0}]}}}}`);
    expect(file.profile(target('db.shop.svc.cluster.local:3306'))).toMatchObject({ kind: 'service', opaque });
  });

  it('tell workloads that share an address by their ports', () => {
    const shared = readText(`workloads:
  shop/a: {addresses: [127.0.0.1], serviceAccount: a, proxy: {inboundPort: 4143}, ports: {80: {}}}
  shop/b: {addresses: [127.0.0.1], serviceAccount: b, proxy: {inboundPort: 4144}, ports: {81: {}}}`);
    const identityAt = (port: number) => {
      const profile = shared.profile({ kind: 'address', address: IpAddress.parse('127.0.0.1')!, port });
      return profile.kind === 'endpoint'
        ? (profile.endpoint.identity as WorkloadIdentity | undefined)?.serviceAccount
        : profile;
    };
    expect([80, 81, 4144, 82].map(identityAt)).toEqual(['a', 'b', 'b', undefined]);
  });
});

describe('policies of the file', () => {
  const policyOf = (name: string, port: number) => catalogue.policy({ namespace: 'shop', name }, port);

  it('are the rules of the port, with names made of ServiceAccounts', () => {
    const policy = policyOf('api-0', 7000);
    expect(policy).toMatchObject({ name: 'api-0-7000', isDefault: false, protocol: 'detect' });
    expect(policy).toHaveProperty('authorizations.0.clients', {
      kind: 'meshed',
      identities: ['web.shop.serviceaccount.identity.kedge.mesh.example'],
      suffixes: [['batch', 'serviceaccount', 'identity', 'kedge', 'mesh', 'example']],
    });
    expect(policy).toHaveProperty('authorizations.1.clients', { kind: 'unauthenticated' });
    expect(policy).toHaveProperty('authorizations.1.networks.length', 2);
  });

  it.each([
    ['the policy of the port', 'api-0', 5432, 'cluster-authenticated', 'opaque'],
    ['else that of the workload', 'api-0', 8080, 'all-authenticated', 'http1'],
    ['also on ports the file does not list', 'api-0', 1, 'all-authenticated', 'detect'],
    ['else that of the file', 'web-0', 80, 'all-unauthenticated', 'detect'],
    ['a denial', 'legacy-0', 80, 'deny', 'detect'],
  ])('are %s', (_, name, port, policy, protocol) => {
    expect(policyOf(name, port)).toMatchObject({ name: policy, isDefault: true, protocol });
  });

  it('are unknown for a workload that is not in the file', () => {
    expect(policyOf('api-1', 80)).toBe('unknown_workload');
  });

  it('give identities their exact or wildcard meaning', () => {
    const rules = readText(
      'workloads: {shop/a: {addresses: [10.1.0.5], ports: {80: {authorizations: [{name: x, identities: [a.b, "*.c.d", "*"]}]}}}}',
    );
    expect(rules.policy({ namespace: 'shop', name: 'a' }, 80)).toHaveProperty('authorizations.0.clients', {
      kind: 'meshed',
      identities: ['a.b'],
      suffixes: [['c', 'd'], []],
    });
  });
});

describe('the zone of a client', () => {
  it.each([
    [{ nodeName: 'node-b' }, 'eu-1b'],
    [{ nodeName: 'node-b', namespace: 'shop', pod: 'api-0' }, 'eu-1b'],
    [{ nodeName: 'node-x', namespace: 'shop', pod: 'api-0' }, 'eu-1a'],
    [{ namespace: 'shop', pod: 'legacy-0' }, undefined],
    [{ pod: 'api-0' }, undefined],
    [{}, undefined],
  ])('of %j is %s', (client, zone) => {
    expect(catalogue.zoneOf(client)).toBe(zone);
  });
});

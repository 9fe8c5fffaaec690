import { EndpointSet } from '../../src/destination/endpoint-set.ts';
import { changes, wholeSet } from '../../src/destination/translate-updates.ts';
import { toDestinationProfile } from '../../src/destination/translate-profile.ts';
import { toWeightedAddr } from '../../src/destination/translate-endpoint.ts';
import { Update } from '../../src/rpc/destination-api.ts';
import { field } from '../support/protobuf-bytes.ts';
import { endpoint } from './support/endpoint.ts';
import { mesh } from './support/mesh.ts';

const view = { setLabels: { service: 'api', namespace: 'shop' }, clientZone: 'eu-1a' };
const a = endpoint('10.0.0.1:80');
const b = endpoint('10.0.0.2:80');
const set = (...endpoints: (typeof a)[]) => EndpointSet.of(endpoints);

/** An update in one line: what is added or removed by last octet, or what is said of an empty set. */
function told({ update }: Update): string {
  switch (update?.$case) {
    case 'add':
      return `add ${update.value.addrs.map(({ addr }) => octet(addr)).join()}`;
    case 'remove':
      return `remove ${update.value.addrs.map(octet).join()}`;
    case 'noEndpoints':
      return `none exists=${String(update.value.exists)}`;
    case undefined:
      return 'nothing';
  }
}

function octet(
  addr: { ip?: { ip?: { $case: string; value: unknown } | undefined } | undefined } | undefined,
): string {
  return String(Number(addr?.ip?.ip?.value) & 0xff);
}

describe('an endpoint on the wire', () => {
  it('names the identity, the inbound port, the weight and the labels', () => {
    const full = endpoint('10.0.0.1:80', {
      identity: mesh.identity('shop', 'api'),
      inboundPort: 4143,
      opaque: true,
      weight: 7,
      zone: 'eu-1a',
      labels: { pod: 'api-0' },
    });
    const name = { name: 'api.shop.serviceaccount.identity.kedge.mesh.example' };
    expect(toWeightedAddr(full, 'eu-1a')).toEqual({
      addr: { ip: { ip: { $case: 'ipv4', value: 0x0a000001 } }, port: 80 },
      weight: 7,
      metricLabels: { pod: 'api-0', zone: 'eu-1a', zone_locality: 'local' },
      tlsIdentity: { strategy: { $case: 'dnsLikeIdentity', value: name }, serverName: name },
      protocolHint: { protocol: { $case: 'opaque', value: {} }, opaqueTransport: { inboundPort: 4143 } },
    });
  });

  it.each([
    ['local', 'eu-1a', 'eu-1a'],
    ['remote', 'eu-1b', 'eu-1a'],
    ['unknown', undefined, 'eu-1a'],
    ['unknown', 'eu-1a', undefined],
  ])('is %s for zone %s seen from %s', (locality, zone, clientZone) => {
    expect(toWeightedAddr(endpoint('10.0.0.1:80', { zone }), clientZone).metricLabels).toEqual({
      zone_locality: locality,
      ...(zone === undefined ? {} : { zone }),
    });
  });

  it('has no identity and no hint where nothing is known, and never an h2 hint', () => {
    const bare = toWeightedAddr(a, undefined);
    expect(bare.tlsIdentity).toBeUndefined();
    expect(bare.protocolHint).toBeUndefined();
    const hinted = toWeightedAddr(
      endpoint('10.0.0.1:80', { identity: mesh.identity('a', 'b'), inboundPort: 1 }),
      undefined,
    );
    expect(hinted.protocolHint).toEqual({ protocol: undefined, opaqueTransport: { inboundPort: 1 } });
  });

  it('has the bytes of contract 4.1', () => {
    const [update = {}] = wholeSet(
      set(endpoint('10.0.0.1:80', { identity: mesh.identity('shop', 'api'), inboundPort: 4143 })),
      {
        setLabels: {},
        clientZone: undefined,
      },
    );
    const name = field(1, 'api.shop.serviceaccount.identity.kedge.mesh.example');
    const address = Buffer.concat([
      field(1, Buffer.concat([field(1, Buffer.from('0d0100000a', 'hex')), Buffer.from('1050', 'hex')])),
      Buffer.from('18904e', 'hex'),
      field(4, Buffer.concat([field(1, 'zone_locality'), field(2, 'unknown')])),
      field(5, Buffer.concat([field(1, name), field(4, name)])),
      field(6, field(2, Buffer.from('08af20', 'hex'))),
    ]);
    expect(Buffer.from(Update.encode(update).finish()).toString('hex')).toBe(
      field(1, field(1, address)).toString('hex'),
    );
  });
});

describe('updates of a set', () => {
  it('begin with the whole set and its labels', () => {
    const first = wholeSet(set(a, b), view);
    expect(first.map(told)).toEqual(['add 1,2']);
    expect(first[0]?.update?.value).toMatchObject({ metricLabels: { service: 'api', namespace: 'shop' } });
  });

  it.each([
    ['a service without endpoints', set(), 'none exists=true'],
    ['a target that is not defined', EndpointSet.missing(), 'none exists=false'],
  ])('say at once that there are none: %s', (_, empty, expected) => {
    expect(wholeSet(empty, view).map(told)).toEqual([expected]);
  });

  it.each([
    ['nothing', set(a), set(a), []],
    ['an endpoint more', set(a), set(a, b), ['add 2']],
    ['an endpoint less', set(a, b), set(b), ['remove 1']],
    ['one for another, the new one first', set(a), set(b), ['add 2', 'remove 1']],
    ['something new of a known one', set(a, b), set(a, endpoint('10.0.0.2:80', { weight: 1 })), ['add 2']],
    ['the last one gone', set(a), set(), ['none exists=true']],
    ['the service gone', set(a), EndpointSet.missing(), ['none exists=false']],
    ['the empty service gone', set(), EndpointSet.missing(), ['none exists=false']],
    ['the service back, empty', EndpointSet.missing(), set(), ['none exists=true']],
    ['the first one there', set(), set(a), ['add 1']],
  ])('tell only what is different: %s', (_, before, after, expected) => {
    expect(changes(before, after, view).map(told)).toEqual(expected);
  });

  it.each([
    ['weight', { weight: 1 }],
    ['identity', { identity: mesh.identity('shop', 'api') }],
    ['inbound port', { inboundPort: 1 }],
    ['opacity', { opaque: true }],
    ['zone', { zone: 'z' }],
    ['a label', { labels: { pod: 'x' } }],
  ])('tell a known endpoint again when its %s changes', (_, part) => {
    expect(changes(set(a), set(endpoint('10.0.0.1:80', part)), view).map(told)).toEqual(['add 1']);
  });
});

describe('a profile on the wire', () => {
  const options = { clusterDomain: 'cluster.local', clientZone: 'eu-1a' };
  const service = {
    kind: 'service',
    name: 'api',
    namespace: 'shop',
    instance: undefined,
    port: 7000,
  } as const;

  it('of a service has its full name, its hint and what it is', () => {
    expect(toDestinationProfile({ kind: 'service', service, exists: true, opaque: true }, options)).toEqual({
      routes: [],
      retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: { seconds: 10n, nanos: 0 } },
      dstOverrides: [],
      opaqueProtocol: true,
      fullyQualifiedName: 'api.shop.svc.cluster.local',
      parentRef: {
        kind: {
          $case: 'resource',
          value: { group: 'core', kind: 'Service', name: 'api', namespace: 'shop', section: '', port: 7000 },
        },
      },
    });
  });

  it('of a service that is not defined still names it, so that nobody falls back to plaintext', () => {
    const profile = toDestinationProfile(
      { kind: 'service', service: { ...service, instance: 'api-7' }, exists: false, opaque: false },
      options,
    );
    expect(profile.fullyQualifiedName).toBe('api-7.api.shop.svc.cluster.local');
    expect(profile.parentRef).toBeUndefined();
    expect(profile.endpoint).toBeUndefined();
  });

  it('of an endpoint has the endpoint and no name', () => {
    const profile = toDestinationProfile(
      { kind: 'endpoint', endpoint: endpoint('10.0.0.1:80', { opaque: true }) },
      options,
    );
    expect(profile).toMatchObject({
      fullyQualifiedName: '',
      opaqueProtocol: true,
      endpoint: { weight: 10_000 },
    });
    expect(profile.parentRef).toBeUndefined();
  });
});

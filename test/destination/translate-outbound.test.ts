import fc from 'fast-check';
import type { OutboundRoute } from '../../src/destination/outbound-route.ts';
import { outboundRoute } from '../../src/destination/outbound-route.ts';
import type { TargetProfile } from '../../src/destination/endpoint-source.ts';
import { toOutboundPolicy } from '../../src/destination/translate-outbound.ts';
import { OutboundPolicy } from '../../src/rpc/outbound-policy-api.ts';
import { IpAddress } from '../../src/runtime/ip-address.ts';
import { IpNetwork } from '../../src/runtime/ip-network.ts';
import { endpoint } from './support/endpoint.ts';
import { mesh } from './support/mesh.ts';
import { outboundFlaws } from './support/outbound-flaws.ts';

const service = { kind: 'service', namespace: 'shop', name: 'web', instance: undefined, port: 80 } as const;
const cluster = [IpNetwork.parse('10.0.0.0/8')!];

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => IpAddress.of(4, value)),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => IpAddress.of(6, value)),
);
const services = fc.record({
  kind: fc.constant('service' as const),
  namespace: label,
  name: label,
  instance: fc.option(label, { nil: undefined }),
  port,
});
const profiles: fc.Arbitrary<TargetProfile> = fc.oneof(
  fc.record({
    kind: fc.constant('service' as const),
    service: services,
    exists: fc.boolean(),
    opaque: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('endpoint' as const),
    endpoint: fc
      .tuple(address, port)
      .map(([at, number]) => ({ ...endpoint('10.0.0.1:80'), address: at, port: number })),
  }),
);

describe('what becomes of a connection', () => {
  it.each<[string, TargetProfile, OutboundRoute['kind']]>([
    ['is balanced over a service', { kind: 'service', service, exists: true, opaque: false }, 'service'],
    [
      'is refused at a port that is not defined',
      { kind: 'service', service, exists: false, opaque: false },
      'undefined_port',
    ],
    [
      'is up to the profile for an address of the cluster',
      { kind: 'endpoint', endpoint: endpoint('10.1.2.3:80') },
      'endpoint',
    ],
    [
      'is left alone outside of the cluster',
      { kind: 'endpoint', endpoint: endpoint('203.0.113.9:443') },
      'outside',
    ],
    [
      'is carried to a machine outside that is of the mesh',
      { kind: 'endpoint', endpoint: endpoint('203.0.113.9:443', { identity: mesh.identity('vm', 'shop') }) },
      'outside',
    ],
  ])('%s', (_, profile, kind) => {
    expect(outboundRoute(profile, cluster).kind).toBe(kind);
  });
});

describe('an outbound policy on the wire', () => {
  it('has nothing in it that makes a proxy take it for invalid, whatever the target', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const policy = toOutboundPolicy(outboundRoute(profile, cluster), 'cluster.local');
        if (policy === undefined) return;
        expect(outboundFlaws(OutboundPolicy.decode(OutboundPolicy.encode(policy).finish()))).toEqual([]);
      }),
    );
  });

  it('is found wanting without what a proxy insists on', () => {
    const whole = toOutboundPolicy({ kind: 'service', service, opaque: false }, 'cluster.local')!;
    expect(outboundFlaws({ ...whole, metadata: undefined })).toEqual(['a policy without metadata']);
    expect(outboundFlaws({ ...whole, protocol: undefined })).toEqual(['no protocol']);
    const { kind } = whole.protocol!;
    if (kind?.$case !== 'detect') throw new TypeError('expected detection');
    const without = (parts: object) => ({
      ...whole,
      protocol: { kind: { ...kind, value: { ...kind.value, ...parts } } },
    });
    expect(outboundFlaws(without({ timeout: undefined }))).toEqual(['detect without a timeout']);
    expect(outboundFlaws(without({ http2: undefined }))).toEqual(['detect without http2']);
  });

  it('balances over the endpoints of the service, whose name is what to ask for', () => {
    const { metadata, protocol } = toOutboundPolicy(
      { kind: 'service', service, opaque: true },
      'cluster.local',
    )!;
    const resource = {
      group: 'core',
      kind: 'Service',
      name: 'web',
      namespace: 'shop',
      section: '',
      port: 80,
    };
    const web = { kind: { $case: 'resource', value: resource } };
    const backend = {
      metadata: web,
      queue: { capacity: 100, failfastTimeout: { seconds: 3n, nanos: 0 } },
      kind: {
        $case: 'balancer',
        value: {
          discovery: { kind: { $case: 'dst', value: { path: 'web.shop.svc.cluster.local:80' } } },
          load: {
            $case: 'peakEwma',
            value: { defaultRtt: { seconds: 0n, nanos: 30_000_000 }, decay: { seconds: 10n, nanos: 0 } },
          },
        },
      },
    };
    const backends = { kind: { $case: 'firstAvailable', value: { backends: [{ backend }] } } };
    const route = {
      metadata: { kind: { $case: 'default', value: 'opaq' } },
      rules: [{ backends, filters: [] }],
    };
    expect({ metadata, protocol }).toEqual({
      metadata: web,
      protocol: { kind: { $case: 'opaque', value: { routes: [route] } } },
    });
  });
});

import * as destination from '../../src/rpc/gen/io/linkerd/proxy/destination/destination.ts';
import * as httpRoute from '../../src/rpc/gen/io/linkerd/proxy/http_route/http_route.ts';
import * as httpTypes from '../../src/rpc/gen/io/linkerd/proxy/http_types/http_types.ts';
import * as identity from '../../src/rpc/gen/io/linkerd/proxy/identity/identity.ts';
import * as inbound from '../../src/rpc/gen/io/linkerd/proxy/inbound/inbound.ts';
import * as meta from '../../src/rpc/gen/io/linkerd/proxy/meta/meta.ts';
import * as net from '../../src/rpc/gen/io/linkerd/proxy/net/net.ts';
import * as outbound from '../../src/rpc/gen/io/linkerd/proxy/outbound/outbound.ts';
import { decode, encode } from '../../src/rpc/method.ts';
import type { MessageType } from '../../src/rpc/method.ts';

interface Table {
  readonly message: string;
  readonly type: MessageType<unknown> & { fromPartial(object: never): unknown };
  /** A field as the contract names it, a message in which it alone is set, and its bytes, written down by hand. */
  readonly rows: readonly (readonly [field: string, message: object, hex: string])[];
}

const ip = { ip: { $case: 'ipv4', value: 0x0a000001 } };
const ipHex = '0d 0100000a';
const seconds = { seconds: 5n, nanos: 0 };
const secondsHex = '08 05';
const byDefault = { kind: { $case: 'default', value: 'a' } };
const byDefaultHex = '0a 01 61';

/** One of a oneof without content. */
const kind = ($case: string, value: object = {}) => ({ kind: { $case, value } });
const strings = { b: 'c' };
const stringsHex = '06  0a 01 62 12 01 63';

const endpoints: readonly Table[] = [
  {
    message: 'GetDestination',
    type: destination.GetDestination,
    rows: [
      ['scheme 1', { scheme: 'a' }, '0a 01 61'],
      ['path 2', { path: 'a' }, '12 01 61'],
      ['context_token 3', { contextToken: 'a' }, '1a 01 61'],
    ],
  },
  {
    message: 'Update',
    type: destination.Update,
    rows: [
      ['add 1', { update: { $case: 'add', value: {} } }, '0a 00'],
      ['remove 2', { update: { $case: 'remove', value: {} } }, '12 00'],
      ['no_endpoints 3', { update: { $case: 'noEndpoints', value: {} } }, '1a 00'],
    ],
  },
  {
    message: 'AddrSet',
    type: destination.AddrSet,
    rows: [['addrs 1', { addrs: [{ port: 80 }] }, '0a 02 10 50']],
  },
  {
    message: 'WeightedAddrSet',
    type: destination.WeightedAddrSet,
    rows: [
      ['addrs 1', { addrs: [{ weight: 1 }] }, '0a 02 18 01'],
      ['metric_labels 2', { metricLabels: strings }, `12 ${stringsHex}`],
    ],
  },
  {
    message: 'WeightedAddr',
    type: destination.WeightedAddr,
    rows: [
      ['addr 1', { addr: { port: 80 } }, '0a 02 10 50'],
      ['weight 3', { weight: 10_000 }, '18 904e'],
      ['metric_labels 4', { metricLabels: strings }, `22 ${stringsHex}`],
      ['tls_identity 5', { tlsIdentity: {} }, '2a 00'],
      ['protocol_hint 6', { protocolHint: {} }, '32 00'],
      ['authority_override 7', { authorityOverride: { authorityOverride: 'a' } }, '3a 03 0a 01 61'],
      ['http2 8', { http2: {} }, '42 00'],
      ['resource_ref 9', { resourceRef: byDefault }, `4a 03 ${byDefaultHex}`],
    ],
  },
  {
    message: 'TlsIdentity',
    type: destination.TlsIdentity,
    rows: [
      [
        'dns_like_identity 1',
        { strategy: { $case: 'dnsLikeIdentity', value: { name: 'a' } } },
        '0a 03 0a 01 61',
      ],
      [
        'uri_like_identity 3',
        { strategy: { $case: 'uriLikeIdentity', value: { uri: 'a' } } },
        '1a 03 0a 01 61',
      ],
      ['server_name 4', { serverName: { name: 'a' } }, '22 03 0a 01 61'],
    ],
  },
  {
    message: 'ProtocolHint',
    type: destination.ProtocolHint,
    rows: [
      ['h2 1', { protocol: { $case: 'h2', value: {} } }, '0a 00'],
      ['opaque_transport 2', { opaqueTransport: { inboundPort: 4143 } }, '12 03 08 af20'],
      ['opaque 3', { protocol: { $case: 'opaque', value: {} } }, '1a 00'],
    ],
  },
  { message: 'NoEndpoints', type: destination.NoEndpoints, rows: [['exists 1', { exists: true }, '08 01']] },
  {
    message: 'Http2ClientParams',
    type: destination.Http2ClientParams,
    rows: [
      ['flow_control 1', { flowControl: { initialConnectionWindowSize: 1 } }, '0a 02 08 01'],
      ['its initial_stream_window_size 2', { flowControl: { initialStreamWindowSize: 1 } }, '0a 02 10 01'],
      ['its adaptive_flow_control 3', { flowControl: { adaptiveFlowControl: true } }, '0a 02 18 01'],
      ['keep_alive 2, interval 1', { keepAlive: { interval: seconds } }, `12 04 0a 02 ${secondsHex}`],
      ['its timeout 2', { keepAlive: { timeout: seconds } }, `12 04 12 02 ${secondsHex}`],
      ['its while_idle 3', { keepAlive: { whileIdle: true } }, '12 02 18 01'],
      ['internals 3', { internals: { maxConcurrentResetStreams: 1 } }, '1a 02 08 01'],
      ['its max_frame_size 2', { internals: { maxFrameSize: 1 } }, '1a 02 10 01'],
      ['its max_send_buf_size 3', { internals: { maxSendBufSize: 1 } }, '1a 02 18 01'],
    ],
  },
];

const profiles: readonly Table[] = [
  {
    message: 'DestinationProfile',
    type: destination.DestinationProfile,
    rows: [
      ['routes 1', { routes: [{ isRetryable: true }] }, '0a 02 20 01'],
      ['retry_budget 2', { retryBudget: { minRetriesPerSecond: 1 } }, '12 02 10 01'],
      ['dst_overrides 3', { dstOverrides: [{ authority: 'a' }] }, '1a 03 0a 01 61'],
      ['opaque_protocol 4', { opaqueProtocol: true }, '20 01'],
      ['fully_qualified_name 5', { fullyQualifiedName: 'a' }, '2a 01 61'],
      ['endpoint 6', { endpoint: { weight: 1 } }, '32 02 18 01'],
      ['parent_ref 7', { parentRef: byDefault }, `3a 03 ${byDefaultHex}`],
      ['profile_ref 8', { profileRef: byDefault }, `42 03 ${byDefaultHex}`],
    ],
  },
  {
    message: 'RetryBudget',
    type: destination.RetryBudget,
    rows: [
      ['retry_ratio 1', { retryRatio: 0.5 }, '0d 0000003f'],
      ['min_retries_per_second 2', { minRetriesPerSecond: 10 }, '10 0a'],
      ['ttl 3', { ttl: seconds }, `1a 02 ${secondsHex}`],
    ],
  },
  {
    message: 'WeightedDst',
    type: destination.WeightedDst,
    rows: [
      ['authority 1', { authority: 'a' }, '0a 01 61'],
      ['weight 2', { weight: 1 }, '10 01'],
      ['backend_ref 3', { backendRef: byDefault }, `1a 03 ${byDefaultHex}`],
    ],
  },
  {
    message: 'Route',
    type: destination.Route,
    rows: [
      ['condition 1', { condition: {} }, '0a 00'],
      ['response_classes 2', { responseClasses: [{ isFailure: true }] }, '12 02 10 01'],
      ['metrics_labels 3', { metricsLabels: strings }, `1a ${stringsHex}`],
      ['is_retryable 4', { isRetryable: true }, '20 01'],
      ['timeout 5', { timeout: seconds }, `2a 02 ${secondsHex}`],
    ],
  },
  {
    message: 'RequestMatch',
    type: destination.RequestMatch,
    rows: [
      ['all 1', { match: { $case: 'all', value: { matches: [{}] } } }, '0a 02 0a 00'],
      ['any 2', { match: { $case: 'any', value: { matches: [{}] } } }, '12 02 0a 00'],
      ['not 3', { match: { $case: 'not', value: {} } }, '1a 00'],
      ['path 4', { match: { $case: 'path', value: { regex: 'a' } } }, '22 03 0a 01 61'],
      ['method 5', { match: { $case: 'method', value: {} } }, '2a 00'],
    ],
  },
  {
    message: 'ResponseClass',
    type: destination.ResponseClass,
    rows: [
      ['condition 1', { condition: {} }, '0a 00'],
      ['is_failure 2', { isFailure: true }, '10 01'],
    ],
  },
  {
    message: 'ResponseMatch',
    type: destination.ResponseMatch,
    rows: [
      ['all 1', { match: { $case: 'all', value: { matches: [{}] } } }, '0a 02 0a 00'],
      ['any 2', { match: { $case: 'any', value: { matches: [{}] } } }, '12 02 0a 00'],
      ['not 3', { match: { $case: 'not', value: {} } }, '1a 00'],
      [
        'status 4, of min 1 and max 2',
        { match: { $case: 'status', value: { min: 1, max: 2 } } },
        '22 04 08 01 10 02',
      ],
    ],
  },
];

const common: readonly Table[] = [
  {
    message: 'CertifyRequest',
    type: identity.CertifyRequest,
    rows: [
      ['identity 1', { identity: 'a' }, '0a 01 61'],
      ['token 2', { token: Buffer.of(1) }, '12 01 01'],
      ['certificate_signing_request 3', { certificateSigningRequest: Buffer.of(1) }, '1a 01 01'],
    ],
  },
  {
    message: 'CertifyResponse',
    type: identity.CertifyResponse,
    rows: [
      ['leaf_certificate 1', { leafCertificate: Buffer.of(1) }, '0a 01 01'],
      ['intermediate_certificates 2', { intermediateCertificates: [Buffer.of(1)] }, '12 01 01'],
      ['valid_until 3', { validUntil: new Date(5_000) }, `1a 02 ${secondsHex}`],
    ],
  },
  {
    message: 'IPAddress',
    type: net.IPAddress,
    rows: [
      ['ipv4 1', ip, ipHex],
      ['ipv4 1, of zero', { ip: { $case: 'ipv4', value: 0 } }, '0d 00000000'],
      ['ipv6 2, first 1', { ip: { $case: 'ipv6', value: { first: 1n } } }, '12 09 09 0100000000000000'],
      ['ipv6 2, last 2', { ip: { $case: 'ipv6', value: { last: 1n } } }, '12 09 11 0100000000000000'],
    ],
  },
  {
    message: 'IPNetwork',
    type: net.IPNetwork,
    rows: [
      ['ip 1', { ip }, `0a 05 ${ipHex}`],
      ['prefix_len 2', { prefixLen: 8 }, '10 08'],
    ],
  },
  {
    message: 'TcpAddress',
    type: net.TcpAddress,
    rows: [
      ['ip 1', { ip }, `0a 05 ${ipHex}`],
      ['port 2', { port: 80 }, '10 50'],
    ],
  },
  {
    message: 'Metadata',
    type: meta.Metadata,
    rows: [
      ['default 1', byDefault, byDefaultHex],
      ['resource 2', kind('resource'), '12 00'],
    ],
  },
  {
    message: 'Resource',
    type: meta.Resource,
    rows: [
      ['group 1', { group: 'a' }, '0a 01 61'],
      ['kind 2', { kind: 'a' }, '12 01 61'],
      ['name 3', { name: 'a' }, '1a 01 61'],
      ['namespace 4', { namespace: 'a' }, '22 01 61'],
      ['section 5', { section: 'a' }, '2a 01 61'],
      ['port 6', { port: 80 }, '30 50'],
    ],
  },
  {
    message: 'HttpRouteMatch',
    type: httpRoute.HttpRouteMatch,
    rows: [
      ['path 1, exact 1', { path: kind('exact', 'a' as never) }, '0a 03 0a 01 61'],
      ['path 1, prefix 2', { path: kind('prefix', 'a' as never) }, '0a 03 12 01 61'],
      ['path 1, regex 3', { path: kind('regex', 'a' as never) }, '0a 03 1a 01 61'],
      ['method 4', { method: {} }, '22 00'],
    ],
  },
  {
    message: 'HttpMethod',
    type: httpTypes.HttpMethod,
    rows: [
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(
        (value) =>
          [`registered 1, as ${value}`, { type: { $case: 'registered', value } }, `08 0${value}`] as const,
      ),
      ['unregistered 2', { type: { $case: 'unregistered', value: 'a' } }, '12 01 61'],
    ],
  },
];

const inboundPolicy: readonly Table[] = [
  {
    message: 'PortSpec',
    type: inbound.PortSpec,
    rows: [
      ['workload 1', { workload: 'a' }, '0a 01 61'],
      ['port 2', { port: 80 }, '10 50'],
    ],
  },
  {
    message: 'Server',
    type: inbound.Server,
    rows: [
      ['protocol 1', { protocol: {} }, '0a 00'],
      ['server_ips 2', { serverIps: [ip] }, `12 05 ${ipHex}`],
      ['authorizations 3', { authorizations: [{}] }, '1a 00'],
      ['labels 4', { labels: strings }, `22 ${stringsHex}`],
    ],
  },
  {
    message: 'ProxyProtocol',
    type: inbound.ProxyProtocol,
    rows: [
      ['detect 1, timeout 1', kind('detect', { timeout: seconds }), `0a 04 0a 02 ${secondsHex}`],
      ['detect 1, http_routes 3', kind('detect', { httpRoutes: [{}] }), '0a 02 1a 00'],
      ['opaque 2', kind('opaque'), '12 00'],
      ['tls 3', kind('tls'), '1a 00'],
      ['http1 4, routes 2', kind('http1', { routes: [{}] }), '22 02 12 00'],
      ['http2 5, routes 2', kind('http2', { routes: [{}] }), '2a 02 12 00'],
      ['grpc 6, routes 2', kind('grpc', { routes: [{}] }), '32 02 12 00'],
    ],
  },
  {
    message: 'Authz',
    type: inbound.Authz,
    rows: [
      ['networks 1', { networks: [{}] }, '0a 00'],
      ['authentication 2', { authentication: {} }, '12 00'],
      ['labels 3', { labels: strings }, `1a ${stringsHex}`],
      ['metadata 4', { metadata: byDefault }, `22 03 ${byDefaultHex}`],
    ],
  },
  {
    message: 'Network',
    type: inbound.Network,
    rows: [
      ['net 1', { net: { prefixLen: 8 } }, '0a 02 10 08'],
      ['except 2', { except: [{ prefixLen: 8 }] }, '12 02 10 08'],
    ],
  },
  {
    message: 'Authn',
    type: inbound.Authn,
    rows: [
      ['unauthenticated 1', { permit: { $case: 'unauthenticated', value: {} } }, '0a 00'],
      ['meshTLS 2, unauthenticated 1', meshTls('unauthenticated', {}), '12 02 0a 00'],
      ['meshTLS 2, identities 2', meshTls('identities', {}), '12 02 12 00'],
      [
        'its identities 1',
        meshTls('identities', { identities: [{ name: 'a' }] }),
        '12 07 12 05 0a 03 0a 01 61',
      ],
      [
        'its suffixes 2',
        meshTls('identities', { suffixes: [{ parts: ['a'] }] }),
        '12 07 12 05 12 03 0a 01 61',
      ],
      ['a suffix without parts', meshTls('identities', { suffixes: [{}] }), '12 04 12 02 12 00'],
    ],
  },
  {
    message: 'HttpRoute',
    type: inbound.HttpRoute,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['authorizations 3', { authorizations: [{}] }, '1a 00'],
      ['rules 4, matches 1', { rules: [{ matches: [{}] }] }, '22 02 0a 00'],
    ],
  },
  {
    message: 'GrpcRoute',
    type: inbound.GrpcRoute,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['authorizations 3', { authorizations: [{}] }, '1a 00'],
    ],
  },
];

const outboundPolicy: readonly Table[] = [
  {
    message: 'TrafficSpec',
    type: outbound.TrafficSpec,
    rows: [
      ['source_workload 1', { sourceWorkload: 'a' }, '0a 01 61'],
      ['addr 2', { target: { $case: 'addr', value: { port: 80 } } }, '12 02 10 50'],
      ['authority 3', { target: { $case: 'authority', value: 'a' } }, '1a 01 61'],
    ],
  },
  {
    message: 'OutboundPolicy',
    type: outbound.OutboundPolicy,
    rows: [
      ['protocol 1', { protocol: {} }, '0a 00'],
      ['metadata 2', { metadata: byDefault }, `12 03 ${byDefaultHex}`],
    ],
  },
  {
    message: 'ProxyProtocol',
    type: outbound.ProxyProtocol,
    rows: [
      ['detect 1, timeout 1', kind('detect', { timeout: seconds }), `0a 04 0a 02 ${secondsHex}`],
      ['detect 1, opaque 2', kind('detect', { opaque: {} }), '0a 02 12 00'],
      ['detect 1, http1 3', kind('detect', { http1: {} }), '0a 02 1a 00'],
      ['detect 1, http2 4', kind('detect', { http2: {} }), '0a 02 22 00'],
      ['opaque 2, routes 1', kind('opaque', { routes: [{}] }), '12 02 0a 00'],
      ['http1 3, routes 1', kind('http1', { routes: [{}] }), '1a 02 0a 00'],
      ['http2 4, routes 1', kind('http2', { routes: [{}] }), '22 02 0a 00'],
      ['grpc 5', kind('grpc'), '2a 00'],
      ['tls 6, routes 1', kind('tls', { routes: [{}] }), '32 02 0a 00'],
    ],
  },
  {
    message: 'OpaqueRoute',
    type: outbound.OpaqueRoute,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['rules 3, backends 1', { rules: [{ backends: {} }] }, '1a 02 0a 00'],
      ['rules 3, filters 2, invalid 1', { rules: [{ filters: [kind('invalid')] }] }, '1a 04 12 02 0a 00'],
      ['rules 3, filters 2, forbidden 2', { rules: [{ filters: [kind('forbidden')] }] }, '1a 04 12 02 12 00'],
    ],
  },
  {
    message: 'TlsRoute',
    type: outbound.TlsRoute,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['snis 2, exact 1', { snis: [{ match: { $case: 'exact', value: 'a' } }] }, '12 03 0a 01 61'],
      ['snis 2, suffix 2', { snis: [{ match: { $case: 'suffix', value: 'a' } }] }, '12 03 12 01 61'],
      ['rules 3', { rules: [{}] }, '1a 00'],
    ],
  },
  {
    message: 'HttpRoute',
    type: outbound.HttpRoute,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['rules 3, matches 1', { rules: [{ matches: [{}] }] }, '1a 02 0a 00'],
      ['rules 3, backends 3', { rules: [{ backends: {} }] }, '1a 02 1a 00'],
    ],
  },
  {
    message: 'Distribution',
    type: outbound.Distribution,
    rows: [
      ['empty 1', kind('empty'), '0a 00'],
      ['first_available 2, backends 1', kind('firstAvailable', { backends: [{}] }), '12 02 0a 00'],
      ['its backend 1', kind('firstAvailable', { backends: [{ backend: {} }] }), '12 04 0a 02 0a 00'],
      ['random_available 3, backends 1', kind('randomAvailable', { backends: [{}] }), '1a 02 0a 00'],
      ['its backend 1', kind('randomAvailable', { backends: [{ backend: {} }] }), '1a 04 0a 02 0a 00'],
      ['its weight 2', kind('randomAvailable', { backends: [{ weight: 1 }] }), '1a 04 0a 02 10 01'],
    ],
  },
  {
    message: 'Backend',
    type: outbound.Backend,
    rows: [
      ['metadata 1', { metadata: byDefault }, `0a 03 ${byDefaultHex}`],
      ['forward 2', kind('forward', { weight: 1 }), '12 02 18 01'],
      ['balancer 3', kind('balancer'), '1a 00'],
      ['queue 4, capacity 1', { queue: { capacity: 100 } }, '22 02 08 64'],
      ['queue 4, failfast_timeout 2', { queue: { failfastTimeout: seconds } }, `22 04 12 02 ${secondsHex}`],
    ],
  },
  {
    message: 'BalanceP2c',
    type: outbound.BalanceP2c,
    rows: [
      ['discovery 1, dst 1, path 1', { discovery: kind('dst', { path: 'a' }) }, '0a 05 0a 03 0a 01 61'],
      ['peak_ewma 2, default_rtt 1', ewma({ defaultRtt: seconds }), `12 04 0a 02 ${secondsHex}`],
      ['peak_ewma 2, decay 2', ewma({ decay: seconds }), `12 04 12 02 ${secondsHex}`],
    ],
  },
];

function meshTls($case: string, value: object): object {
  return { permit: { $case: 'meshTLS', value: { clients: { $case, value } } } };
}

function ewma(value: object): object {
  return { load: { $case: 'peakEwma', value } };
}

describe.each<[string, readonly Table[]]>([
  ['what every API has (contract 1.1, 4.1)', common],
  ['endpoints (contract 4.1)', endpoints],
  ['profiles (contract 4.1)', profiles],
  ['inbound policy (contract 5.1)', inboundPolicy],
  ['outbound policy (contract 5.7)', outboundPolicy],
])('the numbers of %s', (_, tables) => {
  const rows = tables.flatMap(({ message, type, rows: of }) =>
    of.map(([name, partial, hex]) => [message, name, type, partial, hex] as const),
  );

  it.each(rows)('%s has %s', (_message, _name, type, partial, hex) => {
    const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
    const message = type.fromPartial(partial as never);
    expect(encode(type, message).toString('hex')).toBe(bytes.toString('hex'));
    expect(decode(type, bytes)).toEqual(message);
  });
});

describe('the methods of the contract', () => {
  it.each([
    [identity.IdentityDefinition, { Certify: 'one' }],
    [destination.DestinationDefinition, { Get: 'stream', GetProfile: 'stream' }],
    [inbound.InboundServerPoliciesDefinition, { GetPort: 'one', WatchPort: 'stream' }],
    [outbound.OutboundPoliciesDefinition, { Get: 'one', Watch: 'stream' }],
  ] as const)('of $fullName are those', ({ methods }, expected) => {
    const all: readonly Kind[] = Object.values(methods);
    expect(all.filter(({ requestStream }) => requestStream)).toEqual([]);
    const answers = all.map(({ name, responseStream }) => [name, responseStream ? 'stream' : 'one'] as const);
    expect(Object.fromEntries(answers)).toEqual(expected);
  });
});

interface Kind {
  readonly name: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

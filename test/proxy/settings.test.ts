import { localIdentity, outboundListenAddresses } from '../../src/proxy/settings/checks.ts';
import { proxySettings } from '../../src/proxy/settings/proxy-settings.ts';
import { readProxySettings } from '../../src/proxy/settings/read-proxy-settings.ts';
import { ConfigError, problemLine } from '../../src/runtime/env.ts';
import type { Environment } from '../../src/runtime/env.ts';
import { TestCa } from '../support/test-ca.ts';

const localName = 'api.shop.serviceaccount.identity.kedge.cluster.local';
const serviceName = 'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local';

const required: Environment = {
  LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: TestCa.create().bundle.pem,
  LINKERD2_PROXY_IDENTITY_LOCAL_NAME: localName,
  LINKERD2_PROXY_IDENTITY_TOKEN_FILE: '/var/run/secrets/tokens/identity',
  LINKERD2_PROXY_IDENTITY_SVC_ADDR: 'kedge-identity.kedge.svc.cluster.local.:8080',
  LINKERD2_PROXY_IDENTITY_SVC_NAME: serviceName,
  LINKERD2_PROXY_DESTINATION_SVC_ADDR: '10.0.0.1:8086',
  LINKERD2_PROXY_DESTINATION_SVC_NAME: serviceName,
  LINKERD2_PROXY_POLICY_SVC_ADDR: '10.0.0.1:8090',
  LINKERD2_PROXY_POLICY_SVC_NAME: serviceName,
  LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"shop","pod":"api-0"}',
};

function problems(environment: Environment): string[] {
  try {
    readProxySettings(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(problemLine);
  }
  return [];
}

const problemsOf = (changes: Environment): string[] => problems({ ...required, ...changes });

describe("the proxy's settings", () => {
  it('need no more than the identity and the addresses of the control plane', () => {
    expect(problems(required)).toEqual([]);
  });

  it("hold the contract's defaults", () => {
    const values = readProxySettings(required);
    expect(values).toMatchObject({
      adminListen: { host: '127.0.0.1', port: 4191 },
      inboundListen: { host: '0.0.0.0', port: 4143 },
      profileSuffixes: ['svc.cluster.local.'],
      inboundDefaultPolicy: 'all-unauthenticated',
      inboundDetectTimeoutMs: 10_000,
      inboundConnectTimeoutMs: 300,
      outboundConnectTimeoutMs: 1000,
      identityMinRefreshMs: 10_000,
      identityMaxRefreshMs: 86_400_000,
      shutdownGraceMs: 120_000,
      backoffMinMs: 100,
      backoffMaxMs: 60_000,
      logLevel: 'info',
    });
    expect(outboundListenAddresses(values)).toEqual([{ host: '127.0.0.1', port: 4140 }]);
    expect(values.streamInitialTimeoutMs).toBeUndefined();
  });

  it('are all missed at once', () => {
    expect(problems({})).toEqual([
      'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: expected PEM text of at least one CA certificate, got nothing',
      'LINKERD2_PROXY_IDENTITY_TOKEN_FILE: expected the path of a file or directory, got nothing',
      'LINKERD2_PROXY_IDENTITY_SVC_ADDR: expected an address such as "10.0.0.1:8080", "[::1]:8080" or "name:8080", got nothing',
      'LINKERD2_PROXY_DESTINATION_SVC_ADDR: expected an address such as "10.0.0.1:8080", "[::1]:8080" or "name:8080", got nothing',
      'LINKERD2_PROXY_POLICY_SVC_ADDR: expected an address such as "10.0.0.1:8080", "[::1]:8080" or "name:8080", got nothing',
      'LINKERD2_PROXY_POLICY_WORKLOAD: expected a text, got nothing',
      'LINKERD2_PROXY_IDENTITY_LOCAL_NAME: expected the name of this workload, got nothing',
    ]);
  });
});

/** Nothing is wrong with any text for these. */
const free = [
  'identityDisabled',
  'spireAddress',
  'identityTokenFile',
  'destinationContext',
  'policyWorkload',
];

describe('a malformed value', () => {
  const checked = Object.entries(proxySettings).filter(([key]) => !free.includes(key));

  it.each(checked.map(([, { name, expected }]) => [name, expected]))('of %s is told', (name, expected) => {
    expect(problemsOf({ [name]: '?!' })).toContain(`${name}: expected ${expected}, got "?!"`);
  });

  it.each(checked.filter(([key]) => key.endsWith('Ms')).map(([, { name }]) => [name]))(
    'of %s may be a Go duration, which the contract does not take',
    (name) => {
      expect(problemsOf({ [name]: '1h0m0s' })).toHaveLength(1);
    },
  );

  it.each([
    [
      'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    ],
    ['LINKERD2_PROXY_IDENTITY_LOCAL_NAME', 'api.shop.svc.cluster.local'],
    ['LINKERD2_PROXY_IDENTITY_LOCAL_NAME', '.serviceaccount.identity.kedge.cluster.local'],
    ['LINKERD2_PROXY_INBOUND_LISTEN_ADDR', 'localhost:4143'],
    ['LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', 'allow'],
    ['LINKERD2_PROXY_INBOUND_PORTS', '80,70000'],
    ['LINKERD2_PROXY_INBOUND_IPS', '10.0.0.1,pod'],
    ['LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS', '10.0.0.0/33'],
    ['KEDGE_PROXY_OUTBOUND_FORWARD', '127.0.0.1:7001'],
    ['KEDGE_PROXY_OUTBOUND_FORWARD', '127.0.0.1:7001=api.shop.svc.cluster.local'],
    ['KEDGE_PROXY_OUTBOUND_FORWARD', '127.0.0.1:7001=api.shop.svc.cluster.local:0'],
    ['KEDGE_PROXY_OUTBOUND_FORWARD', 'localhost:7001=api.shop.svc.cluster.local:7000'],
    ['KEDGE_PROXY_INBOUND_FORWARD', '127.0.0.1:7002=127.0.0.1:7000=127.0.0.1:7003'],
  ])('of %s: %j', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: expected `))]);
  });
});

describe('values that contradict each other', () => {
  it.each<[string, Environment, string]>([
    [
      'an identity that is switched off',
      { LINKERD2_PROXY_IDENTITY_DISABLED: '1' },
      'LINKERD2_PROXY_IDENTITY_DISABLED: expected nothing, since an identity cannot be done without, got a value',
    ],
    [
      'an identity from SPIRE',
      { LINKERD2_PROXY_IDENTITY_SPIRE_WORKLOAD_API_ADDRESS: 'unix:///a' },
      'LINKERD2_PROXY_IDENTITY_SPIRE_WORKLOAD_API_ADDRESS: expected nothing, since only an identity service is supported, got a value',
    ],
    [
      'an address without a name',
      { LINKERD2_PROXY_DESTINATION_SVC_NAME: '' },
      'LINKERD2_PROXY_DESTINATION_SVC_NAME: expected the identity of 10.0.0.1:8086, which only a loopback address may go without, got nothing',
    ],
    [
      'localhost without its dot and without a name',
      { LINKERD2_PROXY_POLICY_SVC_ADDR: 'localhost:8090', LINKERD2_PROXY_POLICY_SVC_NAME: '' },
      'LINKERD2_PROXY_POLICY_SVC_NAME: expected the identity of localhost:8090, which only a loopback address may go without, got nothing',
    ],
    [
      'a policy of cluster networks without any',
      { LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'cluster-authenticated' },
      'LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS: expected networks, which the default policy "cluster-authenticated" needs, got nothing',
    ],
    [
      'the policy audit without cluster networks',
      { LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'audit' },
      'LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS: expected networks, which the default policy "audit" needs, got nothing',
    ],
    [
      'a server id without a server name',
      { LINKERD2_PROXY_IDENTITY_LOCAL_NAME: '', LINKERD2_PROXY_IDENTITY_SERVER_ID: localName },
      `LINKERD2_PROXY_IDENTITY_SERVER_NAME: expected the server id, "${localName}", got nothing`,
    ],
    [
      'a server name that is not the server id',
      {
        LINKERD2_PROXY_IDENTITY_LOCAL_NAME: '',
        LINKERD2_PROXY_IDENTITY_SERVER_ID: localName,
        LINKERD2_PROXY_IDENTITY_SERVER_NAME: serviceName,
      },
      `LINKERD2_PROXY_IDENTITY_SERVER_NAME: expected the server id, "${localName}", got "${serviceName}"`,
    ],
    [
      'no group for the key exchange',
      { KEDGE_PROXY_TLS_GROUPS: ',' },
      'KEDGE_PROXY_TLS_GROUPS: expected at least one of X25519MLKEM768, X25519, P-256, P-384, got none',
    ],
    [
      'a group for the key exchange that the mesh does not have',
      { KEDGE_PROXY_TLS_GROUPS: 'X25519,X448' },
      'KEDGE_PROXY_TLS_GROUPS: expected a list separated by commas, each item "X25519MLKEM768" or "X25519" or "P-256" or "P-384", got "X25519,X448"',
    ],
    [
      'an idle limit below the initial one',
      {
        LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT: '3s',
        LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: '2s',
      },
      'LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: expected at least LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT, 3000 ms, got 2000 ms',
    ],
    [
      'a lifetime below the idle limit',
      { LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: '2h', LINKERD2_PROXY_CONTROL_STREAM_LIFETIME: '1h' },
      'LINKERD2_PROXY_CONTROL_STREAM_LIFETIME: expected at least LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT, 7200000 ms, got 3600000 ms',
    ],
    [
      'a lifetime below the initial limit',
      { LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT: '3s', LINKERD2_PROXY_CONTROL_STREAM_LIFETIME: '1s' },
      'LINKERD2_PROXY_CONTROL_STREAM_LIFETIME: expected at least LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT, 3000 ms, got 1000 ms',
    ],
    [
      'a longest refresh below the shortest',
      { LINKERD2_PROXY_IDENTITY_MAX_REFRESH: '1s' },
      'LINKERD2_PROXY_IDENTITY_MAX_REFRESH: expected at least LINKERD2_PROXY_IDENTITY_MIN_REFRESH, 10000 ms, got 1000 ms',
    ],
    [
      'a longest back-off below the shortest',
      { LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_MAX: '50ms' },
      'LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_MAX: expected at least LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_MIN, 100 ms, got 50 ms',
    ],
    [
      'three outbound addresses',
      { LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS: '127.0.0.1:1,[::1]:1,127.0.0.2:1' },
      'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS: expected at most two addresses, got 3 addresses',
    ],
    [
      'two listeners on one address',
      { LINKERD2_PROXY_ADMIN_LISTEN_ADDR: '127.0.0.1:4140' },
      'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: expected an address that no other listener has, got 127.0.0.1:4140, which overlaps with LINKERD2_PROXY_ADMIN_LISTEN_ADDR, 127.0.0.1:4140',
    ],
    [
      'a listener on every address beside one of them',
      { LINKERD2_PROXY_INBOUND_LISTEN_ADDR: '0.0.0.0:4140' },
      'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: expected an address that no other listener has, got 127.0.0.1:4140, which overlaps with LINKERD2_PROXY_INBOUND_LISTEN_ADDR, 0.0.0.0:4140',
    ],
    [
      'a listener on every IPv6 address beside one of IPv4',
      { LINKERD2_PROXY_ADMIN_LISTEN_ADDR: '[::]:4140' },
      'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: expected an address that no other listener has, got 127.0.0.1:4140, which overlaps with LINKERD2_PROXY_ADMIN_LISTEN_ADDR, [::]:4140',
    ],
    [
      'two forwards from one address',
      { KEDGE_PROXY_INBOUND_FORWARD: '127.0.0.1:7=127.0.0.1:8,127.0.0.1:7=127.0.0.1:9' },
      'KEDGE_PROXY_INBOUND_FORWARD: expected an address that no other listener has, got 127.0.0.1:7, which overlaps with KEDGE_PROXY_INBOUND_FORWARD, 127.0.0.1:7',
    ],
    [
      'a forward to the proxy itself',
      { KEDGE_PROXY_OUTBOUND_FORWARD: '127.0.0.1:7=127.0.0.1:4140' },
      'KEDGE_PROXY_OUTBOUND_FORWARD: expected targets other than this proxy itself, got 127.0.0.1:4140, which is in LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR',
    ],
    [
      'a forward to a name that is never looked up',
      { KEDGE_PROXY_OUTBOUND_FORWARD: '127.0.0.1:7=example.com:80' },
      'KEDGE_PROXY_OUTBOUND_FORWARD: expected targets below LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES, or addresses, got "example.com:80"',
    ],
  ])('are told: %s', (_, changes, line) => {
    expect(problemsOf(changes)).toEqual([line]);
  });

  it('are told together with missing and malformed ones', () => {
    const lines = problemsOf({
      LINKERD2_PROXY_POLICY_WORKLOAD: '',
      LINKERD2_PROXY_LOG: 'loud',
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'audit',
    });
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'LINKERD2_PROXY_POLICY_WORKLOAD',
      'LINKERD2_PROXY_LOG',
      'LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS',
    ]);
  });
});

describe('values that need not be there', () => {
  it.each<[string, Environment]>([
    [
      'the name of a service on a loopback address',
      { LINKERD2_PROXY_DESTINATION_SVC_ADDR: '127.0.0.1:8086', LINKERD2_PROXY_DESTINATION_SVC_NAME: '' },
    ],
    [
      'the name of a service on localhost with its dot',
      { LINKERD2_PROXY_DESTINATION_SVC_ADDR: 'localhost.:8086', LINKERD2_PROXY_DESTINATION_SVC_NAME: '' },
    ],
    [
      'the local name beside server id and server name',
      {
        LINKERD2_PROXY_IDENTITY_LOCAL_NAME: '',
        LINKERD2_PROXY_IDENTITY_SERVER_ID: localName,
        LINKERD2_PROXY_IDENTITY_SERVER_NAME: localName,
      },
    ],
    ['a switch that is empty', { LINKERD2_PROXY_IDENTITY_DISABLED: '' }],
  ])('%s', (_, changes) => {
    expect(problemsOf(changes)).toEqual([]);
  });

  it('include listeners of their own: port 0 is free each time', () => {
    const address = '127.0.0.1:0';
    const changes = {
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: address,
      LINKERD2_PROXY_INBOUND_LISTEN_ADDR: address,
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: address,
    };
    expect(problemsOf(changes)).toEqual([]);
  });
});

describe('the values', () => {
  it('give the identity by either name, dots of the ServiceAccount included', () => {
    const name = `my.api.shop.serviceaccount.identity.kedge.cluster.local`;
    const values = readProxySettings({ ...required, LINKERD2_PROXY_IDENTITY_LOCAL_NAME: name });
    expect(localIdentity(values)).toMatchObject({
      serviceAccount: 'my.api',
      namespace: 'shop',
      dnsName: name,
      spiffeId: 'spiffe://cluster.local/ns/shop/sa/my.api',
    });
  });

  it('give forwards, and the addresses in place of the address', () => {
    const values = readProxySettings({
      ...required,
      KEDGE_PROXY_OUTBOUND_FORWARD: '127.0.0.1:7001=api.shop.svc.cluster.local:7000, [::1]:7001=10.0.0.9:80,',
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS: '127.0.0.1:4140,[::1]:4140',
    });
    expect(values.outboundForwards).toEqual([
      {
        listen: { host: '127.0.0.1', port: 7001 },
        target: { host: 'api.shop.svc.cluster.local', port: 7000 },
      },
      { listen: { host: '::1', port: 7001 }, target: { host: '10.0.0.9', port: 80 } },
    ]);
    expect(outboundListenAddresses(values)).toEqual([
      { host: '127.0.0.1', port: 4140 },
      { host: '::1', port: 4140 },
    ]);
  });

  it.each([
    ['debug', 'debug'],
    ['trace', 'debug'],
    ['off', 'error'],
    ['WARN', 'warn'],
    ['warn,linkerd=constructor', 'warn'],
    ['warn,linkerd=info', 'info'],
    ['warn,linkerd=info,hickory=error', 'info'],
    ['warn,linkerd=info,kedge=debug', 'debug'],
    ['warn,linkerd[{name="access"}]=info', 'warn'],
  ])('give the log level of %j', (text, level) => {
    expect(readProxySettings({ ...required, LINKERD2_PROXY_LOG: text }).logLevel).toBe(level);
  });
});

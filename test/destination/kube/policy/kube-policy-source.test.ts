import fc from 'fast-check';
import type { Manifest } from './support/policy-cluster.ts';
import { PolicyCluster, told } from './support/policy-cluster.ts';
import { meshRef, networkRef, object, pod, policy, server, serverRef, shop } from './support/manifests.ts';
import { policyFlaws } from './support/policy-flaws.ts';
import type { PortPolicy } from '../../../../src/destination/policy-source.ts';
import { toServer } from '../../../../src/destination/translate-policy.ts';
import type { KubePolicySource } from '../../../../src/destination/kube/policy/kube-policy-source.ts';
import { Server } from '../../../../src/rpc/inbound-policy-api.ts';

const web = { namespace: 'shop', name: 'web' };
const settled = () => new Promise<void>((resolve) => void setImmediate(() => setImmediate(resolve)));

/** Follows a port, and keeps everything that it was told. */
function follow(source: KubePolicySource, port = 8080) {
  const watched = source.watchPolicy(web, port);
  const seen: string[] = [];
  const tell = (state: PortPolicy | undefined) => {
    if (state !== undefined) seen.push(told(state));
  };
  tell(watched.state.value);
  watched.state.subscribe(tell);
  return { seen, close: () => watched.close() };
}

describe('KubePolicySource', () => {
  it('tells each change of what a port depends on, and nothing else', async () => {
    const cluster = new PolicyCluster(shop, pod(), server()).sync();
    const port = follow(cluster.source());
    const other = follow(cluster.source(), 9000);
    cluster.apply(policy([meshRef]));
    await settled();
    cluster.apply(object('MeshTLSAuthentication', 'other', { identities: ['*'] }));
    cluster.apply(server({ podSelector: { matchLabels: { app: 'api' } } }, { name: 'api' }));
    cluster.apply(pod({ metadata: { name: 'another' } }));
    cluster.apply(server({ port: 81 }, { name: 'another' }));
    await settled();
    cluster.apply(object('MeshTLSAuthentication', 'clients', { identities: ['a'] }));
    await settled();
    cluster.delete(policy([]));
    await settled();
    cluster.delete(server());
    await settled();
    cluster.apply({
      ...shop,
      metadata: { name: 'shop', annotations: { 'config.kedge.io/default-inbound-policy': 'deny' } },
    });
    await settled();
    cluster.delete(pod());
    await settled();
    expect(port.seen).toEqual([
      'server web detect',
      'server web detect; authorizationpolicy p: a from everywhere',
      'server web detect',
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere',
      'default deny detect',
      'unknown_workload',
    ]);
    expect(other.seen).toEqual([
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere',
      'default deny detect',
      'unknown_workload',
    ]);
  });

  it('says nothing any more of a port that is no longer followed', async () => {
    const cluster = new PolicyCluster(shop, pod()).sync();
    const port = follow(cluster.source());
    port.close();
    cluster.apply(server());
    await settled();
    expect(port.seen).toHaveLength(1);
  });

  it('keeps what it said of a port while that cannot be read, and goes on with others', async () => {
    const cluster = new PolicyCluster(
      shop,
      pod(),
      server(),
      server({ port: 9000 }, { name: 'other' }),
    ).sync();
    const source = cluster.source();
    const [port, other] = [follow(source), follow(source, 9000)];
    const { servers } = cluster.collections;
    servers.set('shop/web', { ...servers.get('shop/web')!, pods: 'spoilt' as never });
    cluster.delete(server({}, { name: 'other' }));
    await settled();
    expect(port.seen).toEqual(['server web detect']);
    expect(other.seen).toHaveLength(2);
    expect(cluster.failed.told()).toMatchObject([{ fields: { code: 'policy', target: 'shop/web:8080' } }]);
    cluster.apply(server({ proxyProtocol: 'opaque' }));
    await settled();
    expect(port.seen.at(-1)).toBe('server web opaque');
  });

  it('follows a pod that is replaced by another of its name', async () => {
    const cluster = new PolicyCluster(shop, pod(), server()).sync();
    const port = follow(cluster.source());
    cluster.apply(pod({ metadata: { labels: { app: 'api' } } }));
    await settled();
    expect(port.seen.at(-1)).toContain('default all-unauthenticated');
  });

  it('tells of the protocols that Servers give, and when they may have changed', () => {
    const cluster = new PolicyCluster(shop, pod()).sync();
    const { protocols } = cluster.source();
    const changed: string[] = [];
    protocols.subscribe((namespace) => void changed.push(namespace));
    const of = () => protocols.protocolOf(cluster.collections.pods.get('shop/web')!, 8080);
    expect(of()).toBeUndefined();
    cluster.apply(server({ proxyProtocol: 'HTTP/2' }));
    expect(of()).toBe('http2');
    expect(changed).toEqual(['shop']);
  });

  it('ends, whatever happened before, with what it would say had it begun there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const cluster = new PolicyCluster().sync();
        const source = cluster.source();
        const ports = [8080, 9000];
        const followed = ports.map((port) => source.watchPolicy(web, port));
        for (const { manifest, gone, pause } of steps) {
          if (gone) cluster.delete(manifest);
          else cluster.apply(manifest);
          if (pause) await settled();
        }
        await settled();
        for (const [i, { state }] of followed.entries()) {
          expect(told(state.value)).toBe(told(cluster.policy('shop/web', ports[i]!)));
          if (state.value === undefined || state.value === 'unknown_workload') continue;
          const onTheWire = Server.decode(Server.encode(toServer(state.value, web)).finish());
          expect(policyFlaws(onTheWire)).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('takes anything for an object, and is never harmed nor made to let more in', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.anything({ withNullPrototype: true }), (kind, spec) => {
        const before = [shop, pod(), server()];
        const cluster = new PolicyCluster(...before, { ...object(kind, 'web', spec) });
        const rules = told(cluster.policy('shop/web', 8080));
        expect(rules).toMatch(
          kind === 'Server' ? /^(server web \w+|default all-unauthenticated)/ : /^server web detect$/,
        );
      }),
      { numRuns: 300 },
    );
  });
});

const kinds = [
  'Server',
  'AuthorizationPolicy',
  'ServerAuthorization',
  'MeshTLSAuthentication',
  'NetworkAuthentication',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'GatewayGRPCRoute',
] as const;

const annotation = fc.record(
  {
    'config.kedge.io/default-inbound-policy': fc.constantFrom('deny', 'all-authenticated', 'oops'),
    'config.kedge.io/probe-authorization': fc.constantFrom('enabled', 'disabled'),
    'config.linkerd.io/proxy-require-identity-inbound-ports': fc.constantFrom(
      '8080',
      'http',
      '9000-9001',
      '?',
    ),
    'config.linkerd.io/opaque-ports': fc.constantFrom('9000', 'http', ''),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string>>;

const labels = fc.constantFrom({ app: 'web' }, { app: 'api' }, {});
const names = fc.constantFrom('web', 'old', 'new');
const probe = { httpGet: { port: 'http' } };

const manifests: fc.Arbitrary<Manifest> = fc.oneof(
  annotation.map((annotations) => ({ ...shop, metadata: { name: 'shop', annotations } })),
  fc.tuple(annotation, labels, fc.boolean()).map(([annotations, of, probed]) =>
    pod({
      metadata: { annotations, labels: of },
      spec: {
        containers: [
          {
            name: 'app',
            ports: [{ name: 'http', containerPort: 8080 }],
            ...(probed && { livenessProbe: probe }),
          },
        ],
      },
    }),
  ),
  fc
    .constantFrom(['10.1.0.0/24'], ['10.2.0.0/24'], [])
    .map((podCIDRs) => ({ kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDRs } })),
  fc
    .record({
      name: names,
      created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
      port: fc.constantFrom<unknown>(8080, 'http', 9000, {}),
      accessPolicy: fc.constantFrom('deny', 'all-authenticated', 'oops'),
      of: labels,
    })
    .map(({ name, created, of, ...spec }) =>
      server({ ...spec, podSelector: { matchLabels: of } }, { name, creationTimestamp: created, labels: of }),
    ),
  fc
    .record({
      name: names,
      refs: fc.subarray<object>([meshRef, networkRef, { kind: 'ServiceAccount', name: 'a' }]),
      target: fc.oneof(
        names.map((of) => ({ ...serverRef, name: of })),
        fc.constant({ kind: 'Namespace', name: 'shop' }),
      ),
    })
    .map(({ name, refs, target }) => ({ ...policy(refs, target), metadata: { name, namespace: 'shop' } })),
  fc.record({ name: names, of: labels, selects: fc.boolean() }).map(({ name, of, selects }) =>
    object('ServerAuthorization', name, {
      server: selects ? { selector: { matchLabels: of } } : { name },
      client: { unauthenticated: true },
    }),
  ),
  fc
    .constantFrom<unknown>({ identities: ['*'] }, { identities: ['a.b'] }, {}, 7)
    .map((spec) => object('MeshTLSAuthentication', 'clients', spec)),
  fc
    .constantFrom<unknown>([{ cidr: '10.0.0.0/8' }], [{ cidr: 'x' }], [])
    .map((networks) => object('NetworkAuthentication', 'nets', { networks })),
  fc
    .record({
      kind: fc.constantFrom('HTTPRoute', 'GatewayHTTPRoute', 'GatewayGRPCRoute'),
      parentRefs: fc.constantFrom<unknown>([serverRef], [{ ...serverRef, name: 'old' }], [], null),
    })
    .map(({ kind, parentRefs }) => object(kind, 'r', { parentRefs })),
);

const step = fc.record({ manifest: manifests, gone: fc.boolean(), pause: fc.boolean() });

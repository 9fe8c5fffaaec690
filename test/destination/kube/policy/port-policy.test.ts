import { meshRef, networkRef, object, pod, policy, server, serverRef, shop } from './support/manifests.ts';
import type { Manifest } from './support/policy-cluster.ts';
import { PolicyCluster, told } from './support/policy-cluster.ts';

const probed = {
  spec: {
    nodeName: 'n1',
    initContainers: [
      {
        name: 'proxy',
        ports: [{ name: 'admin', containerPort: 4191 }],
        startupProbe: { tcpSocket: { port: 4191 } },
      },
    ],
    containers: [
      {
        name: 'app',
        ports: [{ name: 'http', containerPort: 8080 }],
        livenessProbe: { httpGet: { path: '/', port: 'http' } },
        readinessProbe: { grpc: { port: 9000 } },
      },
    ],
  },
};
const node: Manifest = {
  kind: 'Node',
  metadata: { name: 'n1' },
  spec: { podCIDRs: ['10.1.0.0/24', 'fd00:1::/64'] },
};

const sees = (...manifests: Manifest[]) =>
  told(new PolicyCluster(shop, pod(), ...manifests).policy('shop/web', 8080));

const annotated = (annotations: Record<string, string>, of: Record<string, string> = {}) =>
  new PolicyCluster(
    { ...shop, metadata: { name: 'shop', annotations: of } },
    pod({ metadata: { annotations } }),
  );

describe('the policy of a port without a Server', () => {
  it.each([
    [
      'is the setting',
      {},
      {},
      8080,
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere',
    ],
    [
      'is what the pod says',
      { 'config.kedge.io/default-inbound-policy': 'deny' },
      {},
      8080,
      'default deny detect',
    ],
    [
      'is what the namespace says',
      {},
      { 'config.linkerd.io/default-inbound-policy': 'cluster-authenticated' },
      8080,
      'default cluster-authenticated detect; default cluster-authenticated: * from 10.0.0.0/8 fd00::/8',
    ],
    [
      'is what the pod says before what the namespace says',
      { 'config.linkerd.io/default-inbound-policy': 'deny' },
      { 'config.kedge.io/default-inbound-policy': 'audit' },
      8080,
      'default deny detect',
    ],
    [
      'asks for an identity on the ports that want one',
      { 'config.linkerd.io/proxy-require-identity-inbound-ports': '9000,http' },
      {},
      8080,
      'default all-authenticated detect; default all-authenticated: * from everywhere',
    ],
    [
      'asks for none on other ports',
      { 'config.linkerd.io/proxy-require-identity-inbound-ports': '9000' },
      {},
      8080,
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere',
    ],
    [
      'leaves alone what is opaque by default',
      { 'config.kedge.io/default-inbound-policy': 'deny' },
      {},
      3306,
      'default deny opaque',
    ],
    [
      'leaves alone what is opaque by annotation, and no longer what is by default',
      { 'config.kedge.io/default-inbound-policy': 'deny', 'config.linkerd.io/opaque-ports': '8080-8090' },
      {},
      3306,
      'default deny detect',
    ],
    [
      'denies where the annotation is none',
      { 'config.kedge.io/default-inbound-policy': 'open' },
      {},
      8080,
      'default deny detect',
    ],
    [
      'denies where it is empty',
      { 'config.kedge.io/default-inbound-policy': '' },
      {},
      8080,
      'default deny detect',
    ],
    [
      'asks for an identity on every port where the list of ports is none',
      { 'config.kedge.io/proxy-require-identity-inbound-ports': '80-' },
      {},
      8080,
      'default all-authenticated detect; default all-authenticated: * from everywhere',
    ],
  ])('%s', (_, annotations, of, port, expected) => {
    expect(told(annotated(annotations, of).policy('shop/web', port))).toBe(expected);
  });

  it('is not known for a pod that is not, nor for one of a namespace that is not', () => {
    expect(told(new PolicyCluster(shop).policy('shop/web', 80))).toBe('unknown_workload');
    expect(told(new PolicyCluster(pod()).policy('shop/web', 80))).toBe('unknown_workload');
  });

  it('is not told before everything has been seen once', async () => {
    const cluster = new PolicyCluster(shop, pod());
    const { servers, ...others } = cluster.collections;
    for (const collection of Object.values(others)) collection.sync();
    const { state } = cluster.source().watchPolicy({ namespace: 'shop', name: 'web' }, 80);
    expect(state.value).toBeUndefined();
    servers.sync();
    expect(told(await state.until((value) => value !== undefined))).toContain('default all-unauthenticated');
  });
});

describe('the Server of a port', () => {
  it.each([
    ['selects by labels', server(), 'server web detect'],
    ['selects all with an empty selector', server({ podSelector: {} }), 'server web detect'],
    ['names the port', server({ port: 'http' }), 'server web detect'],
    ['says the protocol', server({ proxyProtocol: 'opaque' }), 'server web opaque'],
    ['says another protocol', server({ proxyProtocol: 'HTTP/1' }), 'server web http1'],
    [
      'says who is let in beside those that are authorized',
      server({ accessPolicy: 'all-authenticated' }),
      'server web detect; default all-authenticated: * from everywhere',
    ],
    [
      'matches expressions',
      server({
        podSelector: {
          matchExpressions: [
            { key: 'app', operator: 'In', values: ['web', 'api'] },
            { key: 'app', operator: 'Exists' },
            { key: 'tier', operator: 'NotIn', values: ['db'] },
            { key: 'tier', operator: 'DoesNotExist' },
          ],
        },
      }),
      'server web detect',
    ],
  ])('%s', (_, manifest, expected) => {
    expect(sees(manifest)).toBe(expected);
  });

  it.each([
    ['another label', server({ podSelector: { matchLabels: { app: 'api' } } })],
    ['another number', server({ port: 80 })],
    ['a name of no port', server({ port: 'grpc' })],
    ['another namespace', server({}, { namespace: 'bank' })],
    ['external workloads', server({ podSelector: undefined, externalWorkloadSelector: {} })],
    [
      'an expression that does not hold',
      server({ podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } }),
    ],
    [
      'a label that every object seems to have',
      server({ podSelector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] } }),
    ],
  ])('does not speak for a pod when it is for %s', (_, manifest) => {
    expect(sees(manifest)).toContain('default all-unauthenticated');
  });

  it('is the oldest of several, then the first by name', () => {
    const old = server({ proxyProtocol: 'TLS' }, { name: 'z', creationTimestamp: '2020-01-01T00:00:00Z' });
    expect(sees(server(), server({}, { name: 'a' }), old)).toBe('server z tls');
    expect(sees(server(), server({}, { name: 'a' }))).toBe('server a detect');
  });

  it('speaks for the external workloads that it selects', () => {
    const vm = object(
      'ExternalWorkload',
      'vm',
      { ports: [{ name: 'http', port: 8080 }] },
      { labels: { app: 'vm' } },
    );
    const own = server({
      podSelector: undefined,
      externalWorkloadSelector: { matchLabels: { app: 'vm' } },
      port: 'http',
    });
    expect(told(new PolicyCluster(shop, vm, own).policy('shop/vm', 8080))).toBe('server web detect');
  });
});

describe('an AuthorizationPolicy', () => {
  const clients = object('MeshTLSAuthentication', 'clients', {
    identities: ['*.bank.serviceaccount.identity.kedge.mesh.example'],
  });
  const nets = object('NetworkAuthentication', 'nets', {
    networks: [{ cidr: '10.2.0.0/16', except: ['10.2.3.0/24'] }],
  });
  const account = { kind: 'ServiceAccount', name: 'teller', namespace: 'bank' };

  it.each([
    ['lets in an identity', [meshRef], 'p: *.bank from everywhere'],
    ['lets in a network', [networkRef], 'p: anyone from 10.2.0.0/16 but 10.2.3.0/24'],
    ['wants both where it has both', [networkRef, meshRef], 'p: *.bank from 10.2.0.0/16 but 10.2.3.0/24'],
    ['lets in a ServiceAccount', [account], 'p: teller.bank from everywhere'],
    [
      'takes a ServiceAccount without a namespace for one of its own',
      [{ ...account, namespace: undefined }],
      'p: teller.shop from everywhere',
    ],
    ['lets everyone in when it requires nothing', [], 'p: anyone from everywhere'],
  ])('%s', (_, refs, expected) => {
    expect(sees(server(), clients, nets, policy(refs))).toBe(
      `server web detect; authorizationpolicy ${expected}`,
    );
  });

  it('is for every Server of the namespace that is its target', () => {
    const whole = policy([meshRef], { kind: 'Namespace', name: 'shop' });
    expect(sees(server(), clients, whole)).toBe(
      'server web detect; authorizationpolicy p: *.bank from everywhere',
    );
    expect(sees(clients, whole)).toContain('default all-unauthenticated');
  });

  it('is for no other Server', () => {
    expect(sees(server({}, { name: 'other' }), clients, policy([meshRef]))).toBe('server other detect');
  });

  it.each([
    ['an authentication that is missing', policy([{ ...meshRef, name: 'gone' }])],
    ['one of two that is missing', policy([meshRef, { ...networkRef, name: 'gone' }])],
    [
      'an authentication of another namespace that is missing there',
      policy([{ ...meshRef, namespace: 'bank' }]),
    ],
    ['two identities', policy([meshRef, account])],
    [
      'an authentication of an unknown kind',
      policy([meshRef, { group: 'policy.linkerd.io', kind: 'Moon', name: 'full' }]),
    ],
    ['an authentication of another group', policy([{ ...meshRef, group: 'example.org' }])],
    ['no list', policy(undefined)],
    ['something else than a list', policy({ kind: 'ServiceAccount' })],
    ['a list of nothing', policy([null])],
    ['a route as its target', policy([], { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'web' })],
    ['another namespace as its target', policy([], { kind: 'Namespace', name: 'bank' })],
    ['a Server of another namespace as its target', policy([], { ...serverRef, namespace: 'bank' })],
    ['no target', policy([], null)],
    ['a ServiceAccount that can be none', policy([{ ...account, name: 'A B' }])],
    ['no spec', object('AuthorizationPolicy', 'p', undefined)],
  ])('lets nobody in with %s', (_, manifest) => {
    const rules = sees(server(), clients, nets, manifest).replace(
      'authorizationpolicy p: nobody from everywhere',
      '',
    );
    expect(rules.replace('; ', '')).toBe('server web detect');
  });
});

describe('authentications', () => {
  it.each([
    ['everyone of the mesh', { identities: ['*'] }, '*'],
    ['one name', { identities: ['a.example.org'] }, 'a.example.org'],
    ['a URI', { identities: ['spiffe://mesh.example/vm'] }, 'spiffe://mesh.example/vm'],
    [
      'ServiceAccounts',
      {
        identityRefs: [
          { kind: 'ServiceAccount', name: 'a' },
          { group: 'core', kind: 'ServiceAccount', name: 'b', namespace: 'bank' },
        ],
      },
      'a.shop or b.bank',
    ],
    ['a namespace', { identityRefs: [{ kind: 'Namespace', name: 'bank' }] }, '*.bank'],
    [
      'both lists',
      { identities: ['a'], identityRefs: [{ kind: 'ServiceAccount', name: 'b' }] },
      'a or b.shop',
    ],
    [
      'only what can be read',
      {
        identities: ['a.*', '*a', '**', 'A', '', 7, null, '*.'],
        identityRefs: [{ kind: 'User', name: 'x' }, { kind: 'Namespace' }],
      },
      'nobody',
    ],
    ['nobody when there is nothing', {}, 'nobody'],
    ['nobody when there is no spec', undefined, 'nobody'],
  ])('lets in %s', (_, spec, expected) => {
    const all = [server(), policy([meshRef]), object('MeshTLSAuthentication', 'clients', spec)];
    expect(sees(...all)).toBe(`server web detect; authorizationpolicy p: ${expected} from everywhere`);
  });

  it.each([
    ['one address', [{ cidr: '10.1.2.3' }], '10.1.2.3/32'],
    ['IPv6', [{ cidr: 'fd00::/8' }], 'fd00::/8'],
    ['the good ones of several', [{ cidr: '10.0.0.0/8' }, { cidr: 'moon' }], '10.0.0.0/8'],
  ])('lets in %s', (_, networks, expected) => {
    const all = [server(), policy([networkRef]), object('NetworkAuthentication', 'nets', { networks })];
    expect(sees(...all)).toBe(`server web detect; authorizationpolicy p: anyone from ${expected}`);
  });

  it.each([
    ['a network of which an exception cannot be read', [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/33'] }]],
    ['a network whose exceptions are no list', [{ cidr: '10.0.0.0/8', except: '10.1.0.0/16' }]],
    ['no network that can be read', [{ cidr: '' }, {}, null, 7]],
    ['no networks at all', []],
    ['networks that are no list', { cidr: '10.0.0.0/8' }],
  ])('lets nobody in by %s', (_, networks) => {
    const all = [server(), policy([networkRef]), object('NetworkAuthentication', 'nets', { networks })];
    expect(sees(...all)).toBe('server web detect');
  });
});

describe('a ServerAuthorization', () => {
  const authorization = (client: unknown, target: unknown = { name: 'web' }) =>
    object('ServerAuthorization', 's', { server: target, client });
  const labelled = server({}, { labels: { tier: 'front' } });

  it.each([
    [
      'takes the networks of the cluster for none',
      { unauthenticated: true },
      'anyone from 10.0.0.0/8 fd00::/8',
    ],
    [
      'takes an empty list for none',
      { networks: [], unauthenticated: true },
      'anyone from 10.0.0.0/8 fd00::/8',
    ],
    [
      'lets in from its networks',
      { networks: [{ cidr: '10.3.0.0/16' }], unauthenticated: true },
      'anyone from 10.3.0.0/16',
    ],
    ['lets in any mesh TLS', { meshTLS: { unauthenticatedTLS: true } }, 'any TLS from 10.0.0.0/8 fd00::/8'],
    [
      'lets in names and ServiceAccounts',
      {
        meshTLS: { identities: ['*.b'], serviceAccounts: [{ name: 'a' }, { name: 'c', namespace: 'bank' }] },
      },
      'a.shop or c.bank or *.b from 10.0.0.0/8 fd00::/8',
    ],
  ])('%s', (_, client, expected) => {
    expect(sees(labelled, authorization(client))).toBe(
      `server web detect; serverauthorization s: ${expected}`,
    );
  });

  it('selects Servers by their labels', () => {
    const to = (value: string) =>
      authorization({ unauthenticated: true }, { selector: { matchLabels: { tier: value } } });
    expect(sees(labelled, to('front'))).toContain('serverauthorization s: anyone');
    expect(sees(labelled, to('back'))).toBe('server web detect');
  });

  it.each([
    ['unauthenticated that is not true', authorization({ unauthenticated: 'true' })],
    ['both ways of proving', authorization({ unauthenticated: true, meshTLS: {} })],
    [
      'both kinds of names and TLS alone',
      authorization({ meshTLS: { unauthenticatedTLS: true, identities: ['*'] } }),
    ],
    ['no client', authorization(undefined)],
    ['a client that says nothing', authorization({})],
    [
      'networks none of which can be read',
      authorization({ networks: [{ cidr: 'moon' }], unauthenticated: true }),
    ],
    ['networks that are no list', authorization({ networks: 'all', unauthenticated: true })],
    ['no server', authorization({ unauthenticated: true }, null)],
    ['an empty server', authorization({ unauthenticated: true }, {})],
    ['a name and a selector', authorization({ unauthenticated: true }, { name: 'web', selector: {} })],
    [
      'a selector of which a part cannot be read',
      authorization(
        { unauthenticated: true },
        { selector: { matchExpressions: [{ key: 'tier', operator: 'Like' }] } },
      ),
    ],
    ['no spec', object('ServerAuthorization', 's', undefined)],
  ])('lets nobody in with %s', (_, manifest) => {
    expect(sees(labelled, manifest)).toBe('server web detect');
  });
});

describe('a Server that cannot be read', () => {
  const open = [
    policy([]),
    object('ServerAuthorization', 's', { server: { name: 'web' }, client: { unauthenticated: true } }),
  ];

  it.each([
    ['an access policy that is none', server({ accessPolicy: 'open' })],
    ['an access policy that is no text', server({ accessPolicy: { allow: true } })],
    ['a protocol that is none', server({ proxyProtocol: 'HTTP/3', accessPolicy: 'all-unauthenticated' })],
    [
      'an operator that is none',
      server({ podSelector: { matchExpressions: [{ key: 'app', operator: 'Like', values: ['w'] }] } }),
    ],
    ['In without values', server({ podSelector: { matchExpressions: [{ key: 'app', operator: 'In' }] } })],
    ['a label that is no text', server({ podSelector: { matchLabels: { app: 7 } } })],
    ['labels that are a list', server({ podSelector: { matchLabels: ['app'] } })],
    ['expressions that are no list', server({ podSelector: { matchExpressions: 'app in (web)' } })],
    ['a selector that is text', server({ podSelector: 'app=web' })],
    ['no selector', server({ podSelector: undefined })],
    ['two selectors', server({ externalWorkloadSelector: {} })],
  ])('lets nobody in at its port with %s, whatever is authorized', (_, manifest) => {
    expect(sees(manifest, ...open)).toMatch(/^server web \w+$/);
  });

  it.each([
    ['an object', {}],
    ['a number too large', 70_000],
    ['zero', 0],
    ['a fraction', 80.5],
    ['nothing', null],
    ['an empty name', ''],
    ['digits too many', '123456789'],
  ])('is about no port when its port is %s', (_, port) => {
    expect(sees(server({ port }))).toContain('default all-unauthenticated');
  });

  it.each([[undefined], [null], [7], ['x'], [[]]])('is about no port when its spec is %p', (spec) => {
    const manifest = { ...server(), spec };
    expect(sees(manifest)).toContain('default all-unauthenticated');
  });

  it('leaves other ports and other pods alone', () => {
    const broken = server({ podSelector: { matchLabels: { app: 'api' }, matchExpressions: 'x' } });
    expect(sees(broken)).toContain('default all-unauthenticated');
    expect(
      told(new PolicyCluster(shop, pod(), server({ accessPolicy: 'x' })).policy('shop/web', 8081)),
    ).toContain('default all-unauthenticated');
  });

  it('takes digits in quotes for the number', () => {
    expect(sees(server({ port: '8080' }))).toBe('server web detect');
  });
});

describe.each([
  ['an HTTPRoute of policy.linkerd.io', 'HTTPRoute'],
  ['an HTTPRoute of the Gateway API', 'GatewayHTTPRoute'],
  ['a GRPCRoute of the Gateway API', 'GatewayGRPCRoute'],
])('%s', (_, kind) => {
  const route = (parentRefs: unknown) => object(kind, 'r', { parentRefs, rules: [{}] });
  const open = server({ accessPolicy: 'all-unauthenticated' });
  const letIn = 'server web detect; default all-unauthenticated: anyone from everywhere';

  it('lets nobody in at the port of the Server that it is for', () => {
    expect(sees(open, policy([]), route([serverRef]))).toBe('server web detect');
  });

  it('lets nobody in where the namespace of the Server is written, or empty', () => {
    expect(sees(open, route([{ ...serverRef, namespace: 'shop' }]))).toBe('server web detect');
    expect(sees(open, route([{ ...serverRef, namespace: '' }]))).toBe('server web detect');
  });

  it('takes a group that is left out for its own', () => {
    const bare = { kind: 'Server', name: 'web' };
    expect(sees(open, route([bare]))).toBe(kind === 'HTTPRoute' ? 'server web detect' : letIn);
  });

  it.each([
    ['another Server', [{ ...serverRef, name: 'api' }]],
    ['a Server of another namespace', [{ ...serverRef, namespace: 'bank' }]],
    ['a Service', [{ group: 'core', kind: 'Service', name: 'web' }]],
    ['a gateway', [{ name: 'web' }]],
    ['nothing', undefined],
    ['nothing that can be read', 'web'],
  ])('changes nothing when it is for %s', (_, parentRefs) => {
    expect(sees(open, route(parentRefs))).toBe(letIn);
  });
});

describe('probes of the kubelet', () => {
  const at = (port: number, ...manifests: Manifest[]) =>
    told(
      new PolicyCluster(shop, node, pod(probed), ...manifests).policy('shop/web', port, { policy: 'deny' }),
    );
  const kubelet = 'default probe: anyone from 192.0.2.1/32 10.1.0.1/32';

  it.each([
    ['http, by the name of the port', 8080],
    ['grpc', 9000],
    ['tcp, of a container that starts first', 4191],
  ])('are let in from the node alone: %s', (_, port) => {
    expect(at(port)).toBe(`default deny detect; ${kubelet}`);
  });

  it('are let in at no other port', () => {
    expect(at(80)).toBe('default deny detect');
  });

  it('are let in beside what a Server says, also when it cannot be read', () => {
    expect(at(8080, server())).toBe(`server web detect; ${kubelet}`);
    expect(at(8080, server({ accessPolicy: 'x' }))).toBe(`server web detect; ${kubelet}`);
  });

  it.each([
    'all-unauthenticated',
    'all-authenticated',
    'cluster-unauthenticated',
    'cluster-authenticated',
    'audit',
  ] as const)('are let in under %s', (policy) => {
    const cluster = new PolicyCluster(shop, node, pod(probed));
    expect(told(cluster.policy('shop/web', 8080, { policy }))).toContain(`; ${kubelet}`);
  });

  it.each(['disabled', 'yes', ''])('are not let in where the annotation says %p', (value) => {
    const annotations = { 'config.kedge.io/probe-authorization': value };
    expect(at(8080, { ...shop, metadata: { name: 'shop', annotations } })).toBe('default deny detect');
    expect(at(8080, pod({ ...probed, metadata: { annotations } }))).toBe('default deny detect');
  });

  it('are let in again by a pod in a namespace that lets none in', () => {
    const ns = {
      ...shop,
      metadata: { name: 'shop', annotations: { 'config.kedge.io/probe-authorization': 'disabled' } },
    };
    const annotations = { 'config.kedge.io/probe-authorization': 'enabled' };
    expect(at(8080, ns, pod({ ...probed, metadata: { annotations } }))).toContain(kubelet);
  });

  it('come from no gateway of a network that the pod has no address of', () => {
    const other = pod({
      ...probed,
      status: { podIPs: [{ ip: '10.9.0.7' }], hostIPs: [{ ip: '192.0.2.1' }] },
    });
    expect(at(8080, other)).toBe('default deny detect; default probe: anyone from 192.0.2.1/32');
  });

  it('come from no gateway that is the address of a pod, in networks that give addresses out otherwise', () => {
    const metadata = { name: 'first', namespace: 'other' };
    const first = pod({ metadata, status: { podIPs: [{ ip: '10.1.0.1' }] } });
    expect(at(8080, first)).toBe('default deny detect; default probe: anyone from 192.0.2.1/32');
    const ended = pod({ metadata, status: { phase: 'Failed', podIPs: [{ ip: '10.1.0.1' }] } });
    expect(at(8080, ended)).toBe(`default deny detect; ${kubelet}`);
  });

  it('come from both families', () => {
    const dual = pod({
      ...probed,
      status: {
        podIPs: [{ ip: '10.1.0.7' }, { ip: 'fd00:1::7' }],
        hostIPs: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }],
      },
    });
    expect(at(8080, dual)).toContain('from 192.0.2.1/32 2001:db8::1/128 10.1.0.1/32 fd00:1::1/128');
  });

  it('come from nowhere before the pod is on a node', () => {
    expect(at(8080, pod({ ...probed, status: { hostIPs: undefined } }))).toBe(
      'default deny detect; default probe: anyone from 10.1.0.1/32',
    );
    expect(
      at(8080, pod({ spec: { ...probed.spec, nodeName: undefined }, status: { podIPs: [], hostIPs: [] } })),
    ).toBe('default deny detect');
  });
});

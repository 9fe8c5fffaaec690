import type { KubeConnection } from '../../../src/kube/kube-watch.ts';
import { told } from '../../destination/kube/policy/support/policy-cluster.ts';
import { DeafWire } from '../../faults/support/deaf-wire.ts';
import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import { define } from './support/definitions.ts';
import { FollowedPolicies } from './support/follow-policies.ts';
import {
  authorizationPolicy,
  meshAuthentication,
  networkAuthentication,
  pod,
  server,
  serverAuthorization,
} from './support/objects.ts';

const timeoutMs = 240_000;
/** Who could not reach the API server for long asks again within half a minute. */
const backWithinMs = 90_000;
const identity = (name: string): string => `${name}.serviceaccount.identity.kedge.mesh.example`;
const policyKinds = [
  'servers',
  'authorizationpolicies',
  'serverauthorizations',
  'meshtlsauthentications',
  'networkauthentications',
];

/** Everything that the port 8080 of a pod was told, in order. */
class ToldPort implements AsyncDisposable {
  readonly all: string[] = [];
  readonly followed: FollowedPolicies;

  constructor(client: KubeConnection, namespace: string) {
    this.followed = new FollowedPolicies(client);
    const { state } = this.followed.port(`${namespace}/web`, 8080);
    state.subscribe((policy) => this.all.push(told(policy)));
  }

  becomes(expected: string): Promise<void> {
    return eventually(() => expect(this.all.at(-1)).toBe(expected), backWithinMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.followed[Symbol.asyncDispose]();
  }
}

onKubernetes('policy while the API server is of no help', (cluster) => {
  const apply = (namespace: string, ...items: object[]) =>
    cluster.kubectl(['apply', '-n', namespace, '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });

  /** A namespace in which every kind says something of the port; without any of it, everybody would be let in. */
  const guarded = async (namespace: string): Promise<void> => {
    await cluster.createNamespace(namespace);
    const parts = [
      pod,
      server(),
      authorizationPolicy('a', { of: ['MeshTLSAuthentication', 'clients'] }),
      authorizationPolicy('b', { of: ['NetworkAuthentication', 'nets'] }),
      meshAuthentication('clients', [identity('web.shop')]),
      networkAuthentication('nets', '10.1.0.0/16'),
      serverAuthorization('c', [identity('ops.shop')]),
    ];
    await apply(namespace, ...parts);
  };
  const [open, mesh, net, direct] = [
    'server web detect',
    'authorizationpolicy a: web.shop from everywhere',
    'authorizationpolicy b: anyone from 10.1.0.0/16',
    'serverauthorization c: ops.shop from 10.0.0.0/8',
  ];
  const strict = [open, mesh, net, direct].join('; ');

  beforeAll(() => define(cluster));

  it(
    'stays as it was when the API server is killed, says how old it is, and changes when it is back',
    async () => {
      await guarded('killed');
      await using port = new ToldPort(await cluster.client(), 'killed');
      await port.becomes(strict);
      const { followed, all } = port;
      const informers = Object.values(followed.informers);
      await cluster.kill();
      await eventually(() => {
        for (const { problem } of informers)
          expect(problem.value).toContain('expected an answer of the API server');
      }, backWithinMs);
      const confirmed = async () =>
        (await followed.metrics.text()).split('\n').filter((line) => line.startsWith('kedge_kube_confirmed'));
      const confirmedLast = await confirmed();
      for (const kind of policyKinds) expect(confirmedLast.join()).toContain(`resource="${kind}"`);
      // Who asks only now is told the same.
      expect(told(followed.port('killed/web', 8080).state.value)).toBe(strict);
      expect(await confirmed()).toEqual(confirmedLast);
      const began = all.length;
      await cluster.restart();
      await apply('killed', meshAuthentication('clients', [identity('other.shop')]));
      const after = strict.replace('web.shop', 'other.shop');
      await port.becomes(after);
      expect(all.slice(began)).toEqual([after]);
      await eventually(() => {
        for (const { problem } of informers) expect(problem.value).toBeUndefined();
      }, backWithinMs);
    },
    timeoutMs,
  );

  /** An account that may follow all but some kinds, and what changes that. */
  const account = async (namespace: string) => {
    const who = { namespace, name: 'default' };
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    const role = (without: string) => ({
      metadata: { name: namespace },
      rules: [
        {
          apiGroups: ['', 'discovery.k8s.io', 'workload.linkerd.io'],
          resources: ['*'],
          verbs: ['list', 'watch'],
        },
        {
          apiGroups: ['policy.linkerd.io', 'gateway.networking.k8s.io'],
          resources: [...policyKinds, 'httproutes', 'grpcroutes'].filter((kind) => kind !== without),
          verbs: ['list', 'watch'],
        },
      ],
    });
    await cluster.expect(roles, { method: 'POST', body: role('') });
    await cluster.expect('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      method: 'POST',
      body: {
        metadata: { name: namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace },
        subjects: [{ kind: 'ServiceAccount', ...who }],
      },
    });
    const token = await cluster.token(who);
    const mayList = async (kind: string, code: number) => {
      const version =
        kind === 'servers' ? 'v1beta3' : kind === 'serverauthorizations' ? 'v1beta1' : 'v1alpha1';
      const path = `/apis/policy.linkerd.io/${version}/${kind}`;
      await eventually(async () => expect((await cluster.call(path, { token })).status).toBe(code));
    };
    const replace = (body: object) => cluster.expect(`${roles}/${namespace}`, { method: 'PUT', body });
    return {
      who,
      take: async (kind: string) => {
        await replace(role(kind));
        await mayList(kind, 403);
      },
      giveBack: async (kind: string) => {
        await replace(role(''));
        await mayList(kind, 200);
      },
    };
  };

  /** The account's own wire to the API server. */
  const wireTo = async () => {
    const { hostname: host, port } = new URL(cluster.server);
    return new DeafWire({ host, port: Number(port) }).start();
  };

  it.each<[kind: string, informer: keyof FollowedPolicies['informers'], change: string[] | object, string]>([
    ['servers', 'servers', server({ proxyProtocol: 'opaque' }), strict.replace('detect', 'opaque')],
    [
      'authorizationpolicies',
      'authorizationPolicies',
      ['authorizationpolicy', 'a'],
      [open, net, direct].join('; '),
    ],
    [
      'serverauthorizations',
      'serverAuthorizations',
      ['serverauthorization', 'c'],
      [open, mesh, net].join('; '),
    ],
    [
      'meshtlsauthentications',
      'meshAuthentications',
      meshAuthentication('clients', [identity('other.shop')]),
      strict.replace('web.shop', 'other.shop'),
    ],
    [
      'networkauthentications',
      'networkAuthentications',
      networkAuthentication('nets', '10.2.0.0/16'),
      strict.replace('10.1', '10.2'),
    ],
  ])(
    'stays as it was when the right to %s is taken away, and changes when it is given back',
    async (kind, informer, change, after) => {
      const namespace = `ruled-${kind}`;
      await guarded(namespace);
      const { who, take, giveBack } = await account(namespace);
      await using wire = await wireTo();
      const server = `https://127.0.0.1:${wire.address.port}`;
      const client = await cluster.client({ kubeconfig: await cluster.kubeconfigAs(who, server) });
      await using port = new ToldPort(client, namespace);
      await port.becomes(strict);
      const began = port.all.length;
      await take(kind);
      // A right is looked at when a watch begins.
      wire.cut();
      const { problem } = port.followed.informers[informer];
      await eventually(() => expect(problem.value).toContain(`cannot list resource "${kind}"`), backWithinMs);
      if (Array.isArray(change)) await cluster.kubectl(['delete', ...change, '-n', namespace]);
      else await apply(namespace, change);
      // A kind that may still be followed is: it shows that the other change was not merely late.
      await cluster.kubectl(['label', 'pod', 'web', '-n', namespace, 'app=other', '--overwrite']);
      await port.becomes(everybody);
      await cluster.kubectl(['label', 'pod', 'web', '-n', namespace, 'app=web', '--overwrite']);
      await port.becomes(strict);
      await giveBack(kind);
      await port.becomes(after);
      expect(port.all.slice(began)).toEqual([everybody, strict, after]);
    },
    timeoutMs,
  );

  it(
    'is told to nobody by a process that begins without a right, until it is given',
    async () => {
      await guarded('late');
      const { who, take, giveBack } = await account('late');
      await take('servers');
      await using port = new ToldPort(await cluster.clientAs(who), 'late');
      const { problem } = port.followed.informers.servers;
      await eventually(() => expect(problem.value).toContain('cannot list resource "servers"'), backWithinMs);
      await eventually(() => expect(port.followed.informers.authorizationPolicies.synced.value).toBe(true));
      expect(port.all).toEqual([]);
      await giveBack('servers');
      await port.becomes(strict);
      expect(port.all).toEqual([strict]);
    },
    timeoutMs,
  );

  it('takes names at their limits', async () => {
    const label = 'a'.repeat(63);
    const longest = [label, label, label, 'a'.repeat(61)].join('.');
    await cluster.createNamespace(label);
    await apply(
      label,
      pod,
      server({}, longest),
      authorizationPolicy(longest, { of: ['MeshTLSAuthentication', longest], at: longest }),
      meshAuthentication(longest, [identity('web.shop')]),
    );
    await using port = new ToldPort(await cluster.client(), label);
    await port.becomes(`server ${longest} detect; authorizationpolicy ${longest}: web.shop from everywhere`);
  });
});

/** What holds where no Server selects the port. */
const everybody = 'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere';

import type { PortPolicy } from '../../../src/destination/policy-source.ts';
import type { Watched } from '../../../src/destination/watched.ts';
import { told } from '../../destination/kube/policy/support/policy-cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import { definitionTests } from './support/definition-tests.ts';
import { define } from './support/definitions.ts';
import { FollowedPolicies } from './support/follow-policies.ts';
import { routeTests } from './support/route-tests.ts';
import { routeVersionTests } from './support/route-version-tests.ts';

const policyGroup = 'policy.linkerd.io';

onKubernetes('policy in a real API server', (cluster) => {
  const apply = (namespace: string, ...objects: object[]) =>
    cluster.kubectl(['apply', '-n', namespace, '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    });

  const becomes = (watched: Watched<PortPolicy>, expected: string) =>
    eventually(() => expect(told(watched.state.value)).toBe(expected));

  /** A namespace with the pod `web`, which is probed at 8080 and runs on the node 192.0.2.1. */
  const withPod = async (namespace: string) => {
    await cluster.createNamespace(namespace);
    await apply(namespace, pod);
    await cluster.kubectl([
      'patch',
      'pod',
      'web',
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      podStatus,
    ]);
  };

  beforeAll(() => define(cluster));

  describe('the definitions of the chart', () => definitionTests(cluster));

  describe('a route', () => routeTests(cluster));

  describe('a route of another version or group', () => routeVersionTests(cluster));

  it('changes at once with each object that it depends on', async () => {
    await withPod('live');
    await using followed = new FollowedPolicies(await cluster.client());
    const http = followed.port('live/web', 8080);
    const other = followed.port('live/web', 9000);
    const probe = 'default probe: anyone from 192.0.2.1/32';
    await becomes(
      http,
      `default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere; ${probe}`,
    );
    await becomes(
      other,
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere',
    );

    await cluster.kubectl(['annotate', 'namespace', 'live', 'config.linkerd.io/default-inbound-policy=deny']);
    await becomes(http, `default deny detect; ${probe}`);

    await apply('live', server({ port: 'http', proxyProtocol: 'opaque' }), policy);
    await becomes(http, `server web opaque; ${probe}`);

    await apply('live', clients(['web.live.serviceaccount.identity.kedge.mesh.example']));
    await becomes(http, `server web opaque; authorizationpolicy p: web.live from everywhere; ${probe}`);

    await apply('live', clients(['*']));
    await becomes(http, `server web opaque; authorizationpolicy p: * from everywhere; ${probe}`);

    await cluster.kubectl([
      'annotate',
      'pod',
      'web',
      '-n',
      'live',
      'config.kedge.io/probe-authorization=disabled',
    ]);
    await becomes(http, 'server web opaque; authorizationpolicy p: * from everywhere');

    await cluster.kubectl(['delete', 'authorizationpolicy', 'p', '-n', 'live']);
    await becomes(http, 'server web opaque');
    expect(told(other.state.value)).toBe('default deny detect');

    await cluster.kubectl(['delete', 'server', 'web', '-n', 'live']);
    await becomes(http, 'default deny detect');
  });

  it('lets nobody in by what another definition lets through, and says so', async () => {
    await withPod('loose');
    await using followed = new FollowedPolicies(await cluster.client());
    const http = followed.port('loose/web', 8080);
    await loosen('servers', 'v1beta3');
    await loosen('authorizationpolicies', 'v1alpha1');
    await apply('loose', server({ accessPolicy: 'everybody' }), {
      ...policy,
      spec: { ...policy.spec, requiredAuthenticationRefs: 7 },
    });
    await becomes(http, 'server web detect; default probe: anyone from 192.0.2.1/32');
    await apply('loose', { ...server({}), spec: 'all' }, { ...policy, spec: [] });
    await becomes(
      http,
      'default all-unauthenticated detect; default all-unauthenticated: anyone from everywhere; default probe: anyone from 192.0.2.1/32',
    );
    const toldOf = followed.log
      .withMessage('policy that cannot be read lets nobody in, ports that cannot be read are passed over')
      .filter(({ fields }) => String(fields['object']).startsWith('loose/'))
      .map(({ fields }) => fields['code']);
    expect(new Set(toldOf)).toEqual(new Set(['Server', 'AuthorizationPolicy']));
  });

  /** Has a definition let anything through, as another's may. */
  const loosen = async (plural: string, version: string) => {
    const name = `${plural}.${policyGroup}`;
    const text = await cluster.kubectl(['get', 'crd', name, '-o', 'json']);
    const definition = JSON.parse(text) as { spec: { versions: { name: string; schema: unknown }[] } };
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    for (const each of definition.spec.versions) each.schema = { openAPIV3Schema: anything };
    await cluster.kubectl(['replace', '-f', '-'], { input: JSON.stringify(definition) });
    const path = `/apis/${policyGroup}/${version}/namespaces/loose/${plural}?dryRun=All`;
    const kind = plural === 'servers' ? 'Server' : 'AuthorizationPolicy';
    const body = { apiVersion: `${policyGroup}/${version}`, kind, metadata: { name: 'probe' }, spec: 7 };
    await eventually(() => cluster.expect(path, { method: 'POST', body }));
  };
});

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    nodeName: 'n1',
    containers: [
      {
        name: 'app',
        image: 'app',
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { port: 'http' } },
      },
    ],
  },
};

const podStatus = JSON.stringify({
  status: {
    hostIP: '192.0.2.1',
    hostIPs: [{ ip: '192.0.2.1' }],
    podIP: '10.1.0.7',
    podIPs: [{ ip: '10.1.0.7' }],
  },
});

const server = (spec: object) => ({
  apiVersion: `${policyGroup}/v1beta3`,
  kind: 'Server',
  metadata: { name: 'web' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, port: 8080, ...spec },
});

const policy = {
  apiVersion: `${policyGroup}/v1alpha1`,
  kind: 'AuthorizationPolicy',
  metadata: { name: 'p' },
  spec: {
    targetRef: { group: policyGroup, kind: 'Server', name: 'web' },
    requiredAuthenticationRefs: [{ group: policyGroup, kind: 'MeshTLSAuthentication', name: 'clients' }],
  },
};

const clients = (identities: string[]) => ({
  apiVersion: `${policyGroup}/v1alpha1`,
  kind: 'MeshTLSAuthentication',
  metadata: { name: 'clients' },
  spec: { identities },
});

import { render } from '../../helm/rendered-chart.ts';
import { eventually } from '../../support/eventually.ts';
import { FollowedEndpoints } from '../destination/support/follow-endpoints.ts';
import type { TestCluster } from '../test-cluster.ts';
import { foreignName } from './foreign-definition.ts';

const policy = 'policy.linkerd.io';
const identity = 'spiffe://cluster.local/vm';
const serverName = 'vm.cluster.local';
const workloadIPs = [{ ip: '192.0.2.7' }];

/** A route with what Kedge knows nothing of: everything about requests, and a field that nobody has yet. */
const route = {
  parentRefs: [{ group: policy, kind: 'Server', name: 'web', port: 80, sectionName: 'main', weight: 7 }],
  hostnames: ['api.example.org'],
  rules: [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/orders' }, method: 'GET', headers: [{ name: 'a' }] }],
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['b'] } }],
      backendRefs: [{ name: 'api', port: 80, weight: 1, filters: [] }],
      timeouts: { request: '5s', backendRequest: '1s' },
      unknownHere: { deep: [{ er: true }] },
    },
  ],
};

interface Kind {
  readonly versions: readonly string[];
  /** A field that every object has, and what it is then. */
  readonly spec: object;
}

/** What Linkerd serves of each kind, the version that is kept first (contract 4.5 and 5.6), with an example. */
const served: Readonly<Record<string, Kind>> = {
  'authorizationpolicies.policy.linkerd.io': {
    versions: ['v1alpha1'],
    spec: { targetRef: { group: policy, kind: 'HTTPRoute', name: 'web' }, requiredAuthenticationRefs: [] },
  },
  'externalworkloads.workload.linkerd.io': {
    versions: ['v1beta1', 'v1alpha1'],
    spec: { meshTLS: { identity, serverName }, ports: [{ port: 80, protocol: 'TCP' }], workloadIPs },
  },
  'httproutes.policy.linkerd.io': { versions: ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'], spec: route },
  'meshtlsauthentications.policy.linkerd.io': { versions: ['v1alpha1'], spec: { identities: ['*'] } },
  'networkauthentications.policy.linkerd.io': {
    versions: ['v1alpha1'],
    spec: { networks: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] },
  },
  'serverauthorizations.policy.linkerd.io': {
    versions: ['v1beta1', 'v1alpha1'],
    spec: { server: { name: 'web' }, client: { meshTLS: { unauthenticatedTLS: true } } },
  },
  'servers.policy.linkerd.io': {
    versions: ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'],
    spec: { podSelector: {}, port: 'http', proxyProtocol: 'opaque', accessPolicy: 'audit' },
  },
};

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
    }[];
  };
}

interface Read {
  readonly spec: object;
}

/** What the definitions of the chart, which the cluster has but for the foreign one, keep and serve. */
export function definitionVersionTests(cluster: TestCluster): void {
  const place = (plural: string, version: string, name = ''): string => {
    const [resource = '', ...group] = plural.split('.');
    return `/apis/${group.join('.')}/${version}/namespaces/default/${resource}${name && `/${name}`}`;
  };
  const make = async (plural: string, kind: string, version: string, object: object): Promise<void> => {
    const apiVersion = `${plural.slice(plural.indexOf('.') + 1)}/${version}`;
    await cluster.expect(place(plural, version), { method: 'POST', body: { apiVersion, kind, ...object } });
  };

  it('serve every version that Linkerd serves, and read in each what was written in any', async () => {
    const definitions = (await render({ crds: { install: 'always' } })).filter(
      ({ kind }) => kind === 'CustomResourceDefinition',
    ) as unknown as (Definition & { readonly metadata: { readonly name: string } })[];
    expect(definitions.map(({ metadata }) => metadata.name).toSorted()).toEqual(Object.keys(served));
    for (const { metadata, spec } of definitions) {
      const { versions, spec: example } = served[metadata.name]!;
      expect(spec.versions.filter((one) => one.served).map(({ name }) => name)).toEqual(versions);
      expect(spec.versions.find(({ storage }) => storage)?.name).toBe(versions[0]);
      if (metadata.name === foreignName) continue;
      for (const written of versions) {
        const name = `in-${written}`;
        await make(metadata.name, spec.names.kind, written, { metadata: { name }, spec: example });
        for (const version of versions) {
          const read = await cluster.expect<Read>(place(metadata.name, version, name));
          expect([metadata.name, written, version, read.spec]).toEqual([
            metadata.name,
            written,
            version,
            example,
          ]);
        }
      }
    }
  });

  it('keep the status of a route, whoever writes it and whatever is in it', async () => {
    const status = {
      parents: [
        {
          controllerName: 'linkerd.io/policy-controller',
          parentRef: { group: policy, kind: 'Server', name: 'web' },
          conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', unknownHere: 1 }],
        },
      ],
    };
    for (const version of served['httproutes.policy.linkerd.io']!.versions) {
      const path = place('httproutes.policy.linkerd.io', version, `in-${version}`);
      const contentType = 'application/merge-patch+json';
      await cluster.expect(`${path}/status`, { method: 'PATCH', contentType, body: { status } });
      expect(await cluster.expect(path)).toMatchObject({ status, spec: route });
    }
  });

  it.each([
    ['v1beta1', 'meshTLS', '192.0.2.8'],
    ['v1alpha1', 'meshTls', '192.0.2.9'],
  ])(
    'have destination reach an external workload of %s, spelled %s, by its identity',
    async (version, field, ip) => {
      const name = `vm-${version}`;
      // Nobody else's: of several made within a second, either may be taken for the one that has the address now.
      const spec = { [field]: { identity, serverName }, workloadIPs: [{ ip }] };
      const plural = 'externalworkloads.workload.linkerd.io';
      await make(plural, 'ExternalWorkload', version, { metadata: { name, labels: { app: name } }, spec });
      const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
      await cluster.expect(`${place(plural, 'v1beta1', name)}/status`, {
        method: 'PATCH',
        contentType: 'application/merge-patch+json',
        body: ready,
      });
      await cluster.expect('/api/v1/namespaces/default/services', {
        method: 'POST',
        body: { metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80 }] } },
      });
      using followed = new FollowedEndpoints(await cluster.client());
      await followed.synced();
      const watched = followed.endpoints(`${name}.default:80`);
      await eventually(() =>
        expect(watched.state.value?.endpoints.get(`${ip}:80`)).toMatchObject({
          identity: { uri: identity, serverName },
        }),
      );
      watched.close();
    },
  );
}

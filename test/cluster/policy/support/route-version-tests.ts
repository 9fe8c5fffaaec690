import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { FollowedPolicies } from './follow-policies.ts';
import { gatewayDefinitions } from './gateway-definitions.ts';
import { becomes, closed, open, ours, policyGroup, RouteBench, serverRef } from './route-bench.ts';
import { definitionsKnown } from '../../definitions-known.ts';

const timeoutMs = 180_000;
const gatewayGroup = 'gateway.networking.k8s.io';
const policyVersions = ['v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'];

interface Definition {
  readonly spec: { readonly versions: readonly { readonly name: string }[] };
}

/** What holds for routes of other versions than the newest, and of other definitions than Linkerd's. */
export function routeVersionTests(cluster: TestCluster): void {
  /** Has the definition of Linkerd's routes serve these versions, and waits until the API server does. */
  const serve = async (versions: readonly string[]): Promise<void> => {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.${policyGroup}`;
    const { spec } = await cluster.expect<Definition>(path);
    const changed = spec.versions.map((each) => ({ ...each, served: versions.includes(each.name) }));
    const body = { spec: { versions: changed } };
    await cluster.expect(path, { method: 'PATCH', contentType: 'application/merge-patch+json', body });
    await eventually(async () => {
      for (const version of policyVersions) {
        const { status } = await cluster.call(`/apis/${policyGroup}/${version}/httproutes`);
        expect([version, status]).toEqual([version, versions.includes(version) ? 200 : 404]);
      }
    });
  };

  afterAll(() => serve(policyVersions));

  it.each(['v1alpha1', 'v1beta1', 'v1beta2'])(
    'denies, and is told of, where only its version %s is served',
    async (version) => {
      await serve([version]);
      const bench = new RouteBench(cluster, { group: policyGroup, version, kind: 'HTTPRoute' });
      const namespace = await bench.guarded(`only-${version}`);
      await eventually(() => bench.attach(namespace));
      await using followed = new FollowedPolicies(await cluster.client());
      await becomes(followed.port(`${namespace}/web`, 8080), closed);
      await bench.isToldBy(namespace, [ours]);
    },
    timeoutMs,
  );

  it(
    'of the Gateway API does the same, from when there are definitions of such on',
    async () => {
      const http = new RouteBench(cluster, { group: gatewayGroup, version: 'v1', kind: 'HTTPRoute' });
      const grpc = new RouteBench(cluster, { group: gatewayGroup, version: 'v1alpha2', kind: 'GRPCRoute' });
      const namespace = await http.guarded('gateways');
      await using followed = new FollowedPolicies(await cluster.client());
      const port = followed.port(`${namespace}/web`, 8080);
      await becomes(port, open);
      const items = gatewayDefinitions;
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await cluster.kubectl(['create', '-f', '-'], { input });
      await definitionsKnown(cluster);
      for (const bench of [http, grpc]) {
        await eventually(() => bench.attach(namespace, [{ name: 'edge' }]));
        await bench.attach(namespace, [{ name: 'edge' }, serverRef]);
        await becomes(port, closed);
        await bench.isToldBy(namespace, [ours]);
        expect(await bench.entries(namespace)).toMatchObject([{ parentRef: serverRef }]);
        await bench.attach(namespace, [{ name: 'edge' }]);
        await becomes(port, open);
        await bench.isToldBy(namespace, []);
      }
    },
    timeoutMs,
  );
}

import { told } from '../../../destination/kube/policy/support/policy-cluster.ts';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { FollowedPolicies } from './follow-policies.ts';
import { becomes, closed, open, ours, policyGroup, refusals, RouteBench, serverRef } from './route-bench.ts';

const timeoutMs = 180_000;
const plural = `httproutes.${policyGroup}`;
const serviceRef = { group: 'core', kind: 'Service', name: 'web' };

const linkerds = {
  controllerName: 'linkerd.io/policy-controller',
  parentRef: { ...serverRef, namespace: 'shop' },
  conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }],
};
const gateways = { ...linkerds, controllerName: 'example.org/gateway', parentRef: { name: 'edge' } };

/** What becomes of a Server that a route of Linkerd's definition is attached to, and of the route. */
export function routeTests(cluster: TestCluster): void {
  const bench = new RouteBench(cluster);

  afterAll(() => cluster.kubectl(['delete', plural, '--all', '--all-namespaces']));

  it(
    'denies the port of its Server, says so in its status, and keeps the time for as long as that is so',
    async () => {
      const namespace = await bench.guarded('routed');
      await using followed = new FollowedPolicies(await cluster.client());
      const port = followed.port(`${namespace}/web`, 8080);
      await becomes(port, open);
      await bench.attach(namespace);
      await becomes(port, closed);
      await bench.isToldBy(namespace, [ours]);
      const [entry] = await bench.entries(namespace);
      expect(entry).toEqual({
        controllerName: ours,
        parentRef: serverRef,
        conditions: [
          {
            type: 'Accepted',
            status: 'False',
            reason: 'UnsupportedValue',
            message: expect.stringContaining('nobody is let in at its port') as string,
            observedGeneration: 1,
            lastTransitionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
          },
        ],
      });

      await bench.attach(namespace, [serverRef, serviceRef]);
      await bench.isToldBy(namespace, [ours, ours]);
      const [first, second] = await bench.entries(namespace);
      expect(first?.conditions).toEqual([{ ...entry?.conditions[0], observedGeneration: 2 }]);
      expect(second?.parentRef).toEqual(serviceRef);

      await bench.attach(namespace, [serviceRef]);
      await becomes(port, open);
      await bench.isToldBy(namespace, [ours]);
      expect(await bench.entries(namespace)).toMatchObject([{ parentRef: serviceRef }]);

      // As Linkerd's definition has it: the group that is left out is Linkerd's.
      await bench.attach(namespace, [{ kind: 'Server', name: 'web' }]);
      await becomes(port, closed);
      await cluster.kubectl(['delete', plural, 'r', '-n', namespace]);
      await becomes(port, open);
      expect(refusals(followed)).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'has Linkerd tell what it tells, and gets back what is taken away by hand',
    async () => {
      const namespace = await bench.guarded('shop');
      await bench.attach(namespace);
      await bench.write(namespace, [gateways]);
      await using followed = new FollowedPolicies(await cluster.client());
      const both = [gateways.controllerName, ours];
      await bench.isToldBy(namespace, both);
      await bench.write(namespace, [gateways]);
      await bench.isToldBy(namespace, both);

      await bench.write(namespace, [...(await bench.entries(namespace)), linkerds]);
      await bench.isToldBy(namespace, [gateways.controllerName, linkerds.controllerName]);
      expect(await bench.entries(namespace)).toEqual([gateways, linkerds]);
      expect(told(followed.port(`${namespace}/web`, 8080).state.value)).toBe(closed);

      await bench.write(namespace, [gateways]);
      await bench.isToldBy(namespace, both);
    },
    timeoutMs,
  );

  it(
    'is told of once by two replicas',
    async () => {
      const namespace = await cluster.createNamespace('told-once');
      await using one = new FollowedPolicies(await cluster.client());
      await using two = new FollowedPolicies(await cluster.client());
      for (const { informers } of [one, two]) await informers.routes.synced.until((synced) => synced);
      await bench.attach(namespace);
      await bench.isToldBy(namespace, [ours]);
      await cluster.kubectl(['label', plural, 'r', '-n', namespace, 'a=b']);
      // Both have looked at what came before, when this one is told of.
      await bench.attach(namespace, [serverRef], 'last');
      await bench.isToldBy(namespace, [ours], 'last');
      const written = () =>
        cluster
          .auditLog()
          .filter(({ verb }) => verb === 'update')
          .filter(({ requestURI }) => requestURI.startsWith(`${bench.path(namespace)}/status`))
          .map(({ responseStatus }) => responseStatus?.code)
          .filter((code) => code !== 409);
      await eventually(() => expect(written()).toEqual([200]));
      expect([...refusals(one), ...refusals(two)]).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'denies while its status may not be written, which is told, and has it as soon as it may',
    async () => {
      const namespace = await bench.guarded('forbidden');
      const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
      const reading = { apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch'] };
      const writing = {
        apiGroups: [policyGroup],
        resources: ['httproutes/status'],
        verbs: ['get', 'update'],
      };
      const role = (...rules: object[]) => ({ metadata: { name: namespace }, rules });
      await cluster.expect(roles, { method: 'POST', body: role(reading, writing) });
      const account = [`--clusterrole=${namespace}`, `--serviceaccount=${namespace}:default`];
      await cluster.kubectl(['create', 'clusterrolebinding', namespace, ...account]);
      await using followed = new FollowedPolicies(await cluster.clientAs({ namespace, name: 'default' }));
      await bench.attach(namespace);
      await bench.isToldBy(namespace, [ours]);

      await cluster.expect(`${roles}/${namespace}`, { method: 'PUT', body: role(reading) });
      await bench.write(namespace, []);
      await eventually(() => expect(refusals(followed)[0]).toMatchObject({ code: 'kube_forbidden' }));
      await becomes(followed.port(`${namespace}/web`, 8080), closed);
      expect(await bench.entries(namespace)).toEqual([]);

      await cluster.expect(`${roles}/${namespace}`, { method: 'PUT', body: role(reading, writing) });
      await bench.isToldBy(namespace, [ours]);
      expect(refusals(followed).length).toBeLessThan(20);
    },
    timeoutMs,
  );
}

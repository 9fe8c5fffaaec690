import { pathOf } from '../../../../src/kube/resource.ts';
import { gatewayGrpcRoutes, gatewayHttpRoutes, policyHttpRoutes } from '../../../../src/kube/resources.ts';
import { eventually } from '../../../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../../../support/fake-kube-api.ts';
import { FollowedRoutes } from './support/followed-routes.ts';
import type { Route } from './support/followed-routes.ts';
import { serverRef } from './support/manifests.ts';

const route = (name: string, parents?: readonly object[]): Route => ({
  metadata: { name, namespace: 'shop', generation: 1 },
  spec: { parentRefs: [serverRef] },
  ...(parents !== undefined && { status: { parents } }),
});

const ours = { controllerName: 'kedge.io/destination', parentRef: serverRef };
const linkerds = {
  controllerName: 'linkerd.io/policy-controller',
  parentRef: { ...serverRef, namespace: 'shop' },
  conditions: [{ type: 'Accepted', status: 'True' }],
};
const gateways = { controllerName: 'example.org/gateway', parentRef: { name: 'edge' }, conditions: [] };

const is =
  (...entries: readonly object[]) =>
  (parents: unknown) =>
    expect(parents).toMatchObject(entries);

describe('the statuses of routes', () => {
  it.each([
    ['HTTPRoutes of policy.linkerd.io', policyHttpRoutes],
    ['HTTPRoutes of the Gateway API', gatewayHttpRoutes],
    ['GRPCRoutes of the Gateway API', gatewayGrpcRoutes],
  ])('are written of %s, of those that were there before too', async (_, resource) => {
    await using api = await FakeKubeApi.start();
    api.put(resource, route('before'));
    await using followed = new FollowedRoutes(api);
    await followed.becomes(is(ours), 'shop/before', resource);
    api.put(resource, route('later'));
    await followed.becomes(is(ours), 'shop/later', resource);
    expect(followed.writes).toBe(2);
    expect(followed.told).toEqual([]);
  });

  it('are written in an older version where only that is served', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = ({ path }, response) => {
      if (!path.startsWith('/apis/policy.linkerd.io/') || path.includes('/v1alpha1/')) return false;
      answer(response, 404, status(404, 'NotFound'));
      return true;
    };
    const old = { ...policyHttpRoutes, version: 'v1alpha1' };
    api.put(old, { apiVersion: 'policy.linkerd.io/v1alpha1', ...route('r') });
    await using followed = new FollowedRoutes(api);
    await followed.becomes(is(ours), 'shop/r', old);
  });

  it('leave a new route to Linkerd for a moment, and to it alone where it speaks', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = new FollowedRoutes(api);
    await eventually(() => expect(api.openWatches).toBe(3));
    api.put(policyHttpRoutes, route('r'));
    await eventually(() => expect(followed.clock.pending).toBeGreaterThan(3));
    api.put(policyHttpRoutes, route('r', [linkerds]));
    api.put(policyHttpRoutes, route('other'));
    await followed.becomes(is(ours), 'shop/other');
    expect(followed.writes).toBe(1);
  });

  it('lose our entry when Linkerd speaks later, or the parent is gone, and get it back when it was removed', async () => {
    await using api = await FakeKubeApi.start();
    api.put(policyHttpRoutes, route('r', [gateways]));
    await using followed = new FollowedRoutes(api);
    await followed.becomes(is(gateways, ours));
    api.put(policyHttpRoutes, route('r', [gateways]));
    await followed.becomes(is(gateways, ours));
    const { status: whole } = api.objects.get(pathOf(policyHttpRoutes), 'shop/r') as Route;
    const { parents } = whole as { parents: object[] };
    api.put(policyHttpRoutes, route('r', [...parents, linkerds]));
    await followed.becomes(is(gateways, linkerds));
    const detached: Route = { ...route('r', parents), spec: { parentRefs: [] } };
    api.put(policyHttpRoutes, detached);
    await followed.becomes(is(gateways));
  });

  it('keep what others write at the same moment', async () => {
    await using api = await FakeKubeApi.start();
    api.put(policyHttpRoutes, route('r'));
    let raced = false;
    api.fault = ({ method }) => {
      if (method === 'PUT' && !raced) {
        raced = true;
        api.put(policyHttpRoutes, route('r', [gateways]));
      }
      return false;
    };
    await using followed = new FollowedRoutes(api);
    await followed.becomes(is(gateways, ours));
    expect(followed.told).toEqual([]);
  });

  it('are written once, however many replicas keep them', async () => {
    await using api = await FakeKubeApi.start();
    for (let i = 0; i < 5; i++) api.put(policyHttpRoutes, route(`r${i}`));
    await using one = new FollowedRoutes(api);
    await using two = new FollowedRoutes(api);
    for (let i = 0; i < 5; i++) {
      await one.becomes(is(ours), `shop/r${i}`);
      await two.becomes(is(ours), `shop/r${i}`);
    }
    const written = api.objects.history.filter(({ type }) => type === 'MODIFIED');
    expect(written).toHaveLength(5);
    await Promise.all([one.clock.advance(60_000), two.clock.advance(60_000)]);
    expect(api.objects.history.filter(({ type }) => type === 'MODIFIED')).toHaveLength(5);
    expect([...one.told, ...two.told]).toEqual([]);
  });

  it('are written one by one, so that many do not press the API server', async () => {
    await using api = await FakeKubeApi.start();
    for (let i = 0; i < 5; i++) api.put(policyHttpRoutes, route(`r${i}`));
    await using followed = new FollowedRoutes(api);
    await eventually(() => expect(api.openWatches).toBe(3));
    await followed.clock.advance(1_000);
    await eventually(() => expect(followed.writes).toBe(1));
    await followed.clock.advance(99);
    expect(followed.writes).toBe(1);
    await followed.passing(() => expect(followed.writes).toBe(5));
  });

  it('are tried again after a refusal, less and less often, told once in a while, and right in the end', async () => {
    await using api = await FakeKubeApi.start();
    for (let i = 0; i < 50; i++) api.put(policyHttpRoutes, route(`r${i}`));
    let allowed = false;
    api.fault = ({ method, path }, response) => {
      if (allowed || method !== 'GET' || !path.endsWith('/status')) return false;
      answer(response, 403, status(403, 'Forbidden', 'not you'));
      return true;
    };
    await using followed = new FollowedRoutes(api);
    const asked = () => api.requestsTo('GET', '/status').length;
    await followed.passing(() => expect(asked()).toBeGreaterThan(3));
    const began = asked();
    for (let s = 0; s < 600; s++) await followed.clock.advance(1_000);
    expect(asked() - began).toBeLessThan(60);
    expect(followed.told[0]).toMatchObject({
      code: 'kube_forbidden',
      resource: 'httproutes.policy.linkerd.io',
      reason: expect.stringContaining('not you') as string,
    });
    expect(followed.told.length).toBeLessThanOrEqual(asked());
    api.put(gatewayHttpRoutes, route('r'));
    allowed = true;
    for (let i = 0; i < 50; i++) await followed.becomes(is(ours), `shop/r${i}`);
    await followed.becomes(is(ours), 'shop/r', gatewayHttpRoutes);
  });

  it.each([
    ['by a webhook', 403, 'Forbidden', 'admission webhook "w" denied the request'],
    ['by a rule', 422, 'Invalid', 'denied'],
  ])('keep no other waiting where one is refused for what it is, %s', async (_, code, reason, message) => {
    await using api = await FakeKubeApi.start();
    for (let i = 0; i < 12; i++) api.put(policyHttpRoutes, route(`bad${i}`));
    let refuses = true;
    api.fault = ({ method, path }, response) => {
      if (!refuses || method !== 'PUT' || !path.includes('/bad')) return false;
      answer(response, code, status(code, reason, message));
      return true;
    };
    await using followed = new FollowedRoutes(api);
    await followed.passing(() => expect(followed.writes).toBeGreaterThan(12));
    for (let s = 0; s < 120; s++) await followed.clock.advance(1_000);
    const [asked, since] = [followed.writes, followed.clock.now().getTime()];
    api.put(policyHttpRoutes, route('good'));
    await followed.becomes(is(ours), 'shop/good');
    expect(followed.clock.now().getTime() - since).toBeLessThan(60_000);
    for (let s = 0; s < 300; s++) await followed.clock.advance(1_000);
    expect(followed.writes - asked).toBeLessThan(12 * 15);
    refuses = false;
    for (let i = 0; i < 12; i++) await followed.becomes(is(ours), `shop/bad${i}`);
  });

  it('are not written in a circle where the API server keeps something else', async () => {
    await using api = await FakeKubeApi.start();
    api.put(policyHttpRoutes, route('r'));
    api.fault = ({ method, path }, response) => {
      if (method !== 'PUT') return false;
      const stored = api.put(policyHttpRoutes, route('r', [gateways]));
      answer(response, path.endsWith('/status') ? 200 : 500, stored);
      return true;
    };
    await using followed = new FollowedRoutes(api);
    await followed.passing(() => expect(followed.writes).toBeGreaterThan(2));
    const began = followed.writes;
    for (let s = 0; s < 300; s++) await followed.clock.advance(1_000);
    expect(followed.writes - began).toBeLessThan(30);
    expect(followed.told[0]).toMatchObject({ code: 'kube_invalid', route: 'shop/r' });
  });

  it('are nobody’s concern of a route that is gone', async () => {
    await using api = await FakeKubeApi.start();
    api.put(policyHttpRoutes, route('r'));
    api.fault = ({ method, path }) => {
      if (method === 'GET' && path.endsWith('/status')) api.delete(policyHttpRoutes, 'shop/r');
      return false;
    };
    await using followed = new FollowedRoutes(api);
    await followed.passing(() => expect(api.requestsTo('GET', '/status')).toHaveLength(1));
    api.fault = () => false;
    api.put(policyHttpRoutes, route('other'));
    await followed.becomes(is(ours), 'shop/other');
    expect(followed.told).toEqual([]);
  });
});

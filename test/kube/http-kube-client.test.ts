import { configMaps, events, pods, tokenReviews } from '../../src/kube/resources.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { configMap } from './support/followed.ts';
import { fixedCredentials, TestConnection } from './support/kube-connection.ts';

const { signal } = new AbortController();
const place = { namespace: 'shop', name: 'a' };

describe('HttpKubeClient', () => {
  it('creates, reads, changes and removes an object, with its type and as its field manager', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const object = { metadata: { name: 'a' }, data: { value: '1' } };
    const created = await client.create(configMaps, { namespace: 'shop' }, object, signal);
    expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop' } });
    expect(await client.read(configMaps, place, signal)).toEqual(created);
    await client.replace(configMaps, place, { ...created, data: { value: '2' } }, signal);
    await client.apply(configMaps, place, { metadata: { name: 'a' }, data: {} }, { force: true }, signal);
    await client.patch(configMaps, { ...place, subresource: 'status' }, { metadata: { name: 'a' } }, signal);
    await client.remove(configMaps, place, signal);
    expect(await refusalOf(client.read(configMaps, place, signal))).toMatch(
      /^kube_not_found: get configmaps: /,
    );
    const writes = api.requests.map(({ method, path, query, headers }) =>
      [method, path, query.toString(), headers['content-type'] ?? ''].join(' ').trim(),
    );
    const path = '/api/v1/namespaces/shop/configmaps';
    expect(writes).toEqual([
      `POST ${path} fieldManager=kedge-test application/json`,
      `GET ${path}/a`,
      `PUT ${path}/a fieldManager=kedge-test application/json`,
      `PATCH ${path}/a fieldManager=kedge-test&force=true application/apply-patch+yaml`,
      `PATCH ${path}/a/status fieldManager=kedge-test application/merge-patch+json`,
      `DELETE ${path}/a`,
      `GET ${path}/a`,
    ]);
    expect(api.requests[0]?.headers).toMatchObject({
      'user-agent': 'kedge-test',
      authorization: 'Bearer a-token',
    });
  });

  it('takes a document that is no API object in whichever type the API server has it', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    await client.readPath('/openid/v1/jwks', signal);
    // As application/jwk-set+json only: who asks for application/json alone is told 406.
    expect(api.requests[0]?.headers.accept).toBe('application/json, */*;q=0.1');
  });

  it('lists page by page with selectors, and takes a list without items for an empty one', async () => {
    await using api = await FakeKubeApi.start();
    for (const name of ['a', 'b', 'c']) api.put(configMaps, configMap(name, '1'));
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const first = await client.list(configMaps, {}, { limit: 2 }, signal);
    expect(first.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    const second = await client.list(configMaps, {}, { limit: 2, next: first.next ?? '' }, signal);
    expect(second).toMatchObject({ items: [{ metadata: { name: 'c' } }], next: undefined });
    const selected = await client.list(
      configMaps,
      {},
      { fieldSelector: 'metadata.name=b', labelSelector: 'x=y' },
      signal,
    );
    expect(selected.items).toEqual([]);
    api.fault = (_request, response) => {
      answer(response, 200, { metadata: { resourceVersion: '7' }, items: null });
      return true;
    };
    expect(await client.list(configMaps, {}, {}, signal)).toEqual({
      items: [],
      resourceVersion: '7',
      next: undefined,
    });
  });

  it.each([
    [400, 'BadRequest', 'kube_invalid'],
    [401, 'Unauthorized', 'kube_unauthenticated'],
    [403, 'Forbidden', 'kube_forbidden'],
    [404, 'NotFound', 'kube_not_found'],
    [409, 'AlreadyExists', 'kube_exists'],
    [409, 'Conflict', 'kube_conflict'],
    [410, 'Expired', 'kube_expired'],
    [422, 'Invalid', 'kube_invalid'],
    [429, 'TooManyRequests', 'kube_throttled'],
    [500, 'InternalError', 'kube_unavailable'],
    [503, 'ServiceUnavailable', 'kube_unavailable'],
    [302, 'Found', 'kube_answer_invalid'],
  ])('gives %i %s as %s, with what the API server said', async (code, reason, name) => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, code, status(code, reason, 'the reason why'));
      return true;
    };
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    expect(await refusalOf(client.create(tokenReviews, {}, {}, signal))).toBe(
      `${name}: create tokenreviews: the API server answered ${code}: the reason why`,
    );
  });

  it('hands on when to come back, from the header and from the body', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    api.fault = (_request, response) => {
      answer(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '3' });
      return true;
    };
    await expect(client.read(pods, place, signal)).rejects.toMatchObject({ retryAfterMs: 3_000 });
    api.fault = (_request, response) => {
      answer(response, 503, { ...status(503, 'ServerTimeout'), details: { retryAfterSeconds: 2 } });
      return true;
    };
    await expect(client.read(pods, place, signal)).rejects.toMatchObject({ retryAfterMs: 2_000 });
  });

  it.each(['<html>', '[1', '"text"', 'null'])('refuses %s for an object', async (text) => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      response.end(text);
      return true;
    };
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(
      /^kube_answer_invalid: get pods: expected/,
    );
    expect(await refusalOf(client.list(pods, {}, {}, signal))).toMatch(
      /^kube_answer_invalid: list pods: expected/,
    );
  });

  it('waits no longer than its deadline for an answer that never comes or never ends', async () => {
    await using api = await FakeKubeApi.start();
    const clock = new ManualClock();
    using client = TestConnection.to({ load: fixedCredentials(api.url), clock });
    api.fault = () => true;
    const never = refusalOf(client.read(pods, place, signal));
    await eventually(() => expect(api.requests).toHaveLength(1));
    await clock.advance(10_000);
    expect(await never).toBe('kube_late: get pods: expected an answer within 10000 ms, got none');
    api.fault = (_request, response) => response.writeHead(200).write('{"metadata"');
    const endless = refusalOf(client.list(pods, {}, {}, signal));
    await eventually(() => expect(api.requests).toHaveLength(2));
    await clock.advance(60_000);
    expect(await endless).toMatch(/^kube_late: list pods: /);
    api.fault = () => true;
    const watch = refusalOf(client.watch(pods, {}, { resourceVersion: '1', timeoutMs: 1 }, signal));
    await eventually(() => expect(api.requests).toHaveLength(3));
    await clock.advance(10_000);
    expect(await watch).toMatch(/^kube_late: watch pods: /);
  });

  it('ends with the reason of the signal, whatever it waits for', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const reason = new Error('enough');
    const stop = new AbortController();
    api.fault = () => true;
    const waiting = client.read(pods, place, stop.signal);
    await eventually(() => expect(api.requests).toHaveLength(1));
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(client.read(pods, place, stop.signal)).rejects.toBe(reason);
    const stopWatch = new AbortController();
    api.fault = () => false;
    const options = { resourceVersion: '1', timeoutMs: 1_000 };
    const watch = await client.watch(pods, {}, options, stopWatch.signal);
    const next = watch[Symbol.asyncIterator]().next();
    stopWatch.abort(reason);
    await expect(next).rejects.toBe(reason);
    await eventually(() => expect(api.openWatches).toBe(0));
  });

  it('says that nobody is there, and that an answer was cut off', async () => {
    const api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    api.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.socket?.resetAndDestroy();
      return true;
    };
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(
      /^kube_unreachable: get pods: .* got (ECONNRESET|aborted)/,
    );
    await api.stop();
    expect(await refusalOf(client.read(pods, place, signal))).toBe(
      `kube_unreachable: get pods: expected an answer of the API server at ${api.url.host}, got ECONNREFUSED`,
    );
  });

  it('asks once more where the API server has closed the idle connection that was taken', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '1'));
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    await client.read(configMaps, place, signal);
    let broken = 0;
    api.fault = (_request, response) => {
      if (broken++ > 0) return false;
      response.socket?.resetAndDestroy();
      return true;
    };
    await client.read(configMaps, place, signal);
    expect(api.requests).toHaveLength(3);
  });

  it('counts what it asks by verb, kind and result', async () => {
    await using api = await FakeKubeApi.start();
    const metrics = new Metrics();
    using client = TestConnection.to({ load: fixedCredentials(api.url), metrics });
    await client.list(pods, {}, {}, signal);
    await refusalOf(client.read(pods, { ...place, subresource: 'status' }, signal));
    await client.create(events, { namespace: 'shop' }, { metadata: { name: 'e' } }, signal);
    const text = await metrics.text();
    expect(text).toContain('kedge_kube_requests_total{verb="list",resource="pods",result="ok"} 1');
    expect(text).toContain('{verb="get",resource="pods/status",result="kube_not_found"} 1');
    expect(text).toContain('kedge_kube_request_seconds_count{verb="create"} 1');
  });

  it('encodes what stands in a path', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    await refusalOf(client.read(pods, { namespace: 'a/b', name: '../c?d' }, signal));
    expect(api.requests[0]?.path).toBe('/api/v1/namespaces/a%2Fb/pods/..%2Fc%3Fd');
  });
});

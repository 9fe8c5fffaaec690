import { watchNamed } from '../../src/kube/informer.ts';
import { configMaps, secrets } from '../../src/kube/resources.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { configMap, Followed } from './support/followed.ts';
import type { ConfigMap } from './support/followed.ts';
import { fixedCredentials, TestConnection } from './support/kube-connection.ts';

describe('an informer', () => {
  it('is synced once it has seen everything, told as one batch, however many pages it took', async () => {
    await using api = await FakeKubeApi.start();
    for (let n = 0; n < 250; n++) api.put(configMaps, configMap(`map-${n}`, String(n)));
    await using followed = new Followed(api);
    expect(followed.informer.synced.value).toBe(false);
    await followed.informer.synced.until((synced) => synced);
    expect(Object.keys(followed.content)).toHaveLength(250);
    expect(followed.batches.map((batch) => batch.length)).toEqual([250]);
    expect(api.requestsTo('GET', '/configmaps').filter(({ query }) => query.has('limit'))).toHaveLength(3);
    expect(followed.informer.get('shop/map-7')).toBe('7');
  });

  it('is synced where there is nothing, without a word to those who wait for changes', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = new Followed(api);
    await followed.informer.synced.until((synced) => synced);
    expect(followed.batches).toEqual([]);
  });

  it('tells what is new, changed and gone, with the value before', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '1'));
    await using followed = new Followed(api);
    await eventually(() => expect(api.openWatches).toBe(1));
    followed.batches.length = 0;
    api.put(configMaps, configMap('b', '1'));
    await eventually(() => expect(followed.content).toEqual({ 'shop/a': '1', 'shop/b': '1' }));
    api.put(configMaps, configMap('a', '2'));
    await eventually(() => expect(followed.content['shop/a']).toBe('2'));
    api.delete(configMaps, 'shop/a');
    await eventually(() => expect(followed.content).toEqual({ 'shop/b': '1' }));
    expect(followed.batches).toEqual([
      [{ key: 'shop/b', before: undefined, after: '1' }],
      [{ key: 'shop/a', before: '1', after: '2' }],
      [{ key: 'shop/a', before: '2', after: undefined }],
    ]);
  });

  it('says nothing of a change in what nobody reads', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '1'));
    await using followed = new Followed(api);
    await eventually(() => expect(api.openWatches).toBe(1));
    api.put(configMaps, {
      ...configMap('a', '1'),
      metadata: { namespace: 'shop', name: 'a', labels: { x: 'y' } },
    });
    api.put(configMaps, configMap('b', '1'));
    await eventually(() => expect(followed.content['shop/b']).toBe('1'));
    expect(followed.batches.flat().map(({ key }) => key)).toEqual(['shop/a', 'shop/b']);
  });

  it('takes an object without a projection for one that is not there', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '1'));
    await using followed = new Followed(api);
    await eventually(() => expect(api.openWatches).toBe(1));
    api.put(configMaps, { metadata: { namespace: 'shop', name: 'a' } });
    await eventually(() => expect(followed.content).toEqual({}));
  });

  it('goes on when an object cannot be projected, which it takes for absent and tells', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('good', '1'));
    api.put(configMaps, configMap('bad', '1'));
    await using followed = new Followed(api, {
      project: ({ metadata }) => {
        if (metadata.name === 'bad') throw new Error('expected another shape');
        return '1';
      },
    });
    await followed.informer.synced.until((synced) => synced);
    expect(followed.content).toEqual({ 'shop/good': '1' });
    expect(followed.log.withMessage('an object cannot be used')[0]?.fields['object']).toBe('shop/bad');
  });

  it('asks for bookmarks and an end after five to ten minutes, and resumes there without a list', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = new Followed(api, { random: () => 0.5 });
    await eventually(() => expect(api.openWatches).toBe(1));
    const [, first] = api.requestsTo('GET', '/configmaps');
    expect(first?.query.get('allowWatchBookmarks')).toBe('true');
    expect(first?.query.get('timeoutSeconds')).toBe('450');
    api.put(secrets, { metadata: { namespace: 'shop', name: 'other' } });
    await followed.clock.advance(10_000);
    api.bookmark();
    const confirmed = (followed.clock.now().getTime() / 1000).toString();
    await eventually(async () =>
      expect(await followed.metrics.text()).toContain(`{resource="configmaps"} ${confirmed}`),
    );
    api.endWatches();
    await eventually(() => expect(api.requestsTo('GET', '/configmaps')).toHaveLength(3));
    expect(api.requestsTo('GET', '/configmaps').at(-1)?.query.get('resourceVersion')).toBe('1001');
    expect(followed.informer.problem.value).toBeUndefined();
    expect(await followed.metric('kedge_kube_watches_total', 'end="timeout"')).toBe(1);
  });

  it.each([true, false])(
    'has nothing where its kind is not known, which is a problem unless it is optional (%s)',
    async (optional) => {
      const resource = { ...configMaps, group: 'example.org' };
      await using api = await FakeKubeApi.start();
      api.fault = (_request, response) => {
        answer(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
        return true;
      };
      await using followed = new Followed(api, { resource, optional });
      await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
      expect([followed.informer.synced.value, followed.informer.problem.value]).toEqual([
        optional,
        optional
          ? undefined
          : 'expected the API server to know configmaps.example.org, it does not: install this definition, which the chart has (crds.install)',
      ]);
      api.fault = () => false;
      api.put(resource, configMap('a', '1'));
      await followed.clock.advance(250);
      await eventually(() => expect(followed.content).toEqual({ 'shop/a': '1' }));
    },
  );

  it.each([true, false])(
    'follows the newest version of its kind that is served, optional or not (%s)',
    async (optional) => {
      const newest = { ...configMaps, group: 'example.org', version: 'v3' };
      const resource = { ...newest, olderVersions: ['v2', 'v1'] };
      let served = 'v1';
      await using api = await FakeKubeApi.start();
      api.fault = ({ path }, response) => {
        if (path.includes(`/${served}/`)) return false;
        answer(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
        return true;
      };
      api.put({ ...newest, version: 'v1' }, configMap('a', '1'));
      await using followed = new Followed(api, { resource, optional });
      await eventually(() => expect(followed.content).toEqual({ 'shop/a': '1' }));
      await eventually(() => expect(api.openWatches).toBe(1));
      expect(followed.informer.problem.value).toBeUndefined();

      served = 'v3';
      api.put(newest, configMap('a', '2'));
      api.endWatches();
      await eventually(async () => {
        await followed.clock.advance(250);
        expect(followed.content).toEqual({ 'shop/a': '2' });
      });
    },
  );

  it('ends where it is told to stop, in whatever it does, and asks nothing afterwards', async () => {
    await using api = await FakeKubeApi.start();
    const followed = new Followed(api);
    await eventually(() => expect(api.openWatches).toBe(1));
    await followed.stop();
    await eventually(() => expect(api.openWatches).toBe(0));
    await using waiting = new Followed(api);
    await eventually(() => expect(api.openWatches).toBe(1));
    await api.stop();
    await eventually(() => expect(waiting.clock.pending).toBe(1));
    await waiting.stop();
    expect(waiting.clock.pending).toBe(0);
    const asked = api.requests.length;
    await followed.clock.advance(3_600_000);
    await waiting.clock.advance(3_600_000);
    expect(api.requests).toHaveLength(asked);
    expect(followed.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});

describe('an informer of one object', () => {
  it('asks for no other by its name, and calls it so', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('mine', '1'));
    api.put(configMaps, configMap('other', '1'));
    const clock = new ManualClock();
    const metrics = new Metrics();
    using client = TestConnection.to({ load: fixedCredentials(api.url), clock });
    const stop = new AbortController();
    const named = watchNamed<string, ConfigMap>(
      { namespace: 'shop', name: 'mine' },
      {
        client,
        resource: configMaps,
        project: ({ data }) => data?.['value'],
        clock,
        metrics,
        log: new LogCapture(),
      },
    );
    const running = named.run(stop.signal);
    await named.synced.until((synced) => synced);
    expect([...named.entries()]).toEqual([['shop/mine', '1']]);
    expect(api.requests[0]?.path).toBe('/api/v1/namespaces/shop/configmaps');
    expect(api.requests[0]?.query.get('fieldSelector')).toBe('metadata.name=mine');
    expect(await metrics.text()).toContain('kedge_kube_objects{resource="configmaps/mine"} 1');
    stop.abort();
    await running;
  });
});

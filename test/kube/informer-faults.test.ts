import { configMaps } from '../../src/kube/resources.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import type { FakeRequest } from '../support/fake-kube-api.ts';
import { FakeKubeObjects } from '../support/fake-kube-objects.ts';
import { configMap, Followed } from './support/followed.ts';

const isWatch = ({ query }: FakeRequest): boolean => query.get('watch') === 'true';
const isList = (request: FakeRequest): boolean => !isWatch(request) && request.query.get('limit') !== '1';

/** An informer that has `a` and `b`, and a watch. */
async function following(api: FakeKubeApi): Promise<Followed> {
  api.put(configMaps, configMap('a', '1'));
  api.put(configMaps, configMap('b', '1'));
  const followed = new Followed(api);
  await eventually(() => expect(api.openWatches).toBe(1));
  followed.batches.length = 0;
  return followed;
}

/** Lets time pass until `check` holds, in steps that are shorter than any wait. */
async function passing(followed: Followed, check: () => void | Promise<void>, stepMs = 100): Promise<void> {
  await eventually(async () => {
    await followed.clock.advance(stepMs);
    await check();
  });
}

/** Lets the informer wait until it asks again; never while an answer is on its way, for that has its time as well. */
async function waited({ clock }: Followed): Promise<void> {
  const callDeadlineMs = 10_000;
  let dueMs: number | undefined;
  await eventually(() => {
    dueMs = clock.nextDueMs;
    expect(dueMs ?? callDeadlineMs).not.toBe(callDeadlineMs);
  });
  await clock.advance(dueMs ?? 0);
}

/** Lets the informer wait as long as it means to, which has to be this. */
async function waitedFor({ clock }: Followed, waitMs: number): Promise<void> {
  await eventually(() => expect(clock.nextDueMs).toBe(waitMs));
  await clock.advance(waitMs);
}

describe('an informer, when something breaks', () => {
  it('resumes a watch that was reset where it was, without a list', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.breakWatches();
    await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
    api.delete(configMaps, 'shop/a');
    await passing(followed, () => expect(followed.content).toEqual({ 'shop/b': '1' }));
    expect(api.requests.filter(isList)).toHaveLength(1);
    expect(followed.batches).toEqual([[{ key: 'shop/a', before: '1', after: undefined }]]);
    expect(followed.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(await followed.metric('kedge_kube_watches_total', 'kube_unreachable')).toBe(1);
  });

  it.each(['an event', 'a status'])(
    'lists anew on 410 as %s, and tells the differences as one batch while the old stays in use',
    async (way) => {
      await using api = await FakeKubeApi.start();
      await using followed = await following(api);
      api.breakWatches();
      await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
      api.put(configMaps, configMap('a', '2'));
      api.delete(configMaps, 'shop/b');
      api.put(configMaps, configMap('c', '1'));
      api.compact();
      api.fault = (request, response) => {
        if (way === 'an event' || !isWatch(request) || request.query.get('resourceVersion') !== '1002')
          return false;
        answer(response, 410, status(410, 'Expired'));
        return true;
      };
      await passing(followed, () => expect(api.requests.some(isWatch)).toBe(true), 1);
      expect(followed.content).toEqual({ 'shop/a': '1', 'shop/b': '1' });
      await passing(followed, () => expect(followed.content).toEqual({ 'shop/a': '2', 'shop/c': '1' }));
      expect(followed.batches).toEqual([
        [
          { key: 'shop/b', before: '1', after: undefined },
          { key: 'shop/a', before: '1', after: '2' },
          { key: 'shop/c', before: undefined, after: '1' },
        ],
      ]);
      expect(await followed.metric('kedge_kube_lists_total', 'reason="expired"')).toBe(1);
      expect(followed.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
    },
  );

  it('lists at once when its version has expired, however long it has come to wait in an outage', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.fault = (_request, response) => {
      answer(response, 503, status(503, 'ServiceUnavailable'));
      return true;
    };
    api.breakWatches();
    for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000]) await waitedFor(followed, waitMs);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(30_000));
    api.put(configMaps, configMap('a', '2'));
    api.compact();
    api.fault = () => false;
    await followed.clock.advance(30_000);
    await eventually(() => expect(followed.content).toEqual({ 'shop/a': '2', 'shop/b': '1' }));
    await eventually(() => expect(api.openWatches).toBe(1));
    expect(await followed.metric('kedge_kube_lists_total', 'reason="expired"')).toBe(1);
    expect(followed.log.withMessage('cannot be followed now')).toHaveLength(1);
    expect(followed.log.withMessage('followed again')).toHaveLength(1);
  });

  it('says that it follows again not when its watch is taken, but once what it missed is listed', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    const known = followed.clock.now().getTime() / 1000;
    const confirmed = (): Promise<number> => followed.metric('kedge_kube_confirmed_timestamp_seconds');
    let expired = false;
    api.fault = (request, response) => {
      if (expired && !isList(request)) return false;
      answer(response, 503, status(503, 'ServiceUnavailable'));
      return true;
    };
    api.breakWatches();
    for (const waitMs of [250, 500]) await waitedFor(followed, waitMs);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(1_000));
    expired = true;
    api.put(configMaps, configMap('a', '2'));
    api.compact();
    await followed.clock.advance(1_000);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
    expect(await confirmed()).toBe(known);
    expect(followed.log.withMessage('followed again')).toEqual([]);
    api.fault = () => false;
    await waitedFor(followed, 250);
    await eventually(() => expect(api.openWatches).toBe(1));
    expect(await confirmed()).toBe(known + 2);
    expect(followed.log.withMessage('followed again')).toHaveLength(1);
  });

  it('says that it follows again once a watch without anything to tell has stood for a second', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.fault = (_request, response) => {
      answer(response, 503, status(503, 'ServiceUnavailable'));
      return true;
    };
    api.breakWatches();
    for (const waitMs of [250, 500]) await waitedFor(followed, waitMs);
    await eventually(() => expect(followed.informer.problem.value).toContain('answered 503'));
    api.fault = () => false;
    await waitedFor(followed, 1_000);
    await eventually(() => expect(api.openWatches).toBe(1));
    await waitedFor(followed, 1_000);
    expect(followed.informer.problem.value).toBeUndefined();
    expect(api.requests.filter(isList)).toHaveLength(1);
  });

  it('lists at once again where its version expires once more after its watch has stood', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    for (const lists of [1, 2]) {
      let expiries = 1;
      api.fault = (request, response) => {
        if (!isWatch(request) || expiries-- < 1) return false;
        answer(response, 410, status(410, 'Expired'));
        return true;
      };
      api.breakWatches();
      await waitedFor(followed, 250);
      await eventually(() => expect(api.openWatches).toBe(1));
      expect(await followed.metric('kedge_kube_lists_total', 'reason="expired"')).toBe(lists);
      await waitedFor(followed, 1_000);
    }
  });

  it('lists less and less often while each watch after a list has expired', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.fault = (request, response) => {
      if (!isWatch(request)) return false;
      answer(response, 410, status(410, 'Expired'));
      return true;
    };
    api.breakWatches();
    for (const waitMs of [250, 250, 500, 1_000, 2_000]) await waitedFor(followed, waitMs);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(4_000));
    expect(await followed.metric('kedge_kube_lists_total', 'reason="expired"')).toBe(5);
    expect(followed.informer.problem.value).toContain('answered 410');
    api.fault = () => false;
    await waitedFor(followed, 4_000);
    await eventually(() => expect(api.openWatches).toBe(1));
    expect(followed.informer.problem.value).toBeUndefined();
    api.put(configMaps, configMap('a', '2'));
    await eventually(() => expect(followed.content['shop/a']).toBe('2'));
    api.breakWatches();
    await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
  });

  it('begins a list anew whose next page has expired', async () => {
    await using api = await FakeKubeApi.start();
    for (let n = 0; n < 150; n++) api.put(configMaps, configMap(`map-${n}`, '1'));
    let expired = 0;
    api.fault = (request, response) => {
      if (!request.query.has('continue') || expired > 0) return false;
      expired += 1;
      answer(response, 410, status(410, 'Expired'));
      return true;
    };
    await using followed = new Followed(api);
    await passing(followed, () => expect(followed.informer.synced.value).toBe(true));
    expect(Object.keys(followed.content)).toHaveLength(150);
    expect(expired).toBe(1);
  });

  it('keeps what it knows and says so while its right is taken away, and recovers when it is given back', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    const message = 'configmaps is forbidden: User "x" cannot watch resource "configmaps"';
    api.fault = (_request, response) => {
      answer(response, 403, status(403, 'Forbidden', message));
      return true;
    };
    api.breakWatches();
    await passing(followed, () => expect(followed.informer.problem.value).toContain(message));
    for (let refusal = 0; refusal < 20; refusal++) await waited(followed);
    expect(followed.content).toEqual({ 'shop/a': '1', 'shop/b': '1' });
    expect(followed.informer.synced.value).toBe(true);
    api.put(configMaps, configMap('a', '2'));
    api.fault = () => false;
    await waited(followed);
    await eventually(() => expect(followed.content['shop/a']).toBe('2'));
    expect(followed.informer.problem.value).toBeUndefined();
    expect(followed.log.withMessage('cannot be followed now').length).toBeLessThanOrEqual(2);
    expect(followed.log.withMessage('followed again')).toHaveLength(1);
  });

  it('takes a kind that is not there for none of it where it may be missing, and follows it once it is', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
      return true;
    };
    await using followed = new Followed(api, { optional: true });
    await passing(followed, () => expect(api.requestsTo('GET', '/configmaps').length).toBeGreaterThan(2));
    expect(followed.informer.synced.value).toBe(true);
    expect(followed.informer.problem.value).toBeUndefined();
    expect(followed.log.withMessage('cannot be followed now')).toEqual([]);
    api.fault = () => false;
    api.put(configMaps, configMap('a', '1'));
    await passing(followed, () => expect(followed.content).toEqual({ 'shop/a': '1' }), 30_000);
  });

  it('survives a time in which its token is refused', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.fault = (_request, response) => {
      answer(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
      return true;
    };
    api.breakWatches();
    await passing(followed, () => expect(followed.informer.problem.value).toContain('answered 401'));
    api.fault = () => false;
    api.put(configMaps, configMap('c', '1'));
    await passing(followed, () => expect(followed.content['shop/c']).toBe('1'), 1_000);
    expect(followed.log.text).not.toContain('a-token');
  });

  it('waits as long as Retry-After says when it is throttled', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '7' });
      return true;
    };
    await using followed = new Followed(api);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(7_000));
    api.fault = () => false;
    await followed.clock.advance(6_999);
    expect(api.requests).toHaveLength(1);
    await followed.clock.advance(1);
    await followed.informer.synced.until((synced) => synced);
  });

  it('comes back less and less often while the API server fails, and says so once', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 500, status(500, 'InternalError', 'etcdserver: request timed out'));
      return true;
    };
    await using followed = new Followed(api);
    const waits: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 9; attempt++) {
      await eventually(() => {
        expect(api.requests).toHaveLength(attempt);
        expect(followed.clock.pending).toBe(1);
      });
      waits.push(followed.clock.nextDueMs);
      await followed.clock.advance(followed.clock.nextDueMs ?? 0);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(followed.informer.synced.value).toBe(false);
    expect(followed.log.withMessage('cannot be followed now')).toHaveLength(1);
    expect(followed.informer.problem.value).toBe(
      'list configmaps: the API server answered 500: etcdserver: request timed out',
    );
  });

  it.each([
    ['a line that is no JSON', '{"type":"ADDED","object":{\n'],
    ['a line that is no event', '{"type":"ADDED"}\n'],
    ['an event of a kind unknown', '{"type":"NEWER","object":{"metadata":{"resourceVersion":"9"}}}\n'],
    ['an event without a version', '{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'],
    ['an event without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"9"}}}\n'],
    ['a line beyond all bounds', 'x'.repeat(17 * 1024 * 1024)],
  ])('lists anew after %s', async (_what, text) => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    api.write(text);
    await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
    await eventually(() => expect(api.openWatches).toBe(0));
    api.put(configMaps, configMap('a', '2'));
    await passing(followed, () => expect(followed.content).toEqual({ 'shop/a': '2', 'shop/b': '1' }));
    expect(await followed.metric('kedge_kube_lists_total', 'reason="malformed"')).toBe(1);
    await eventually(() => expect(api.openWatches).toBe(1));
  });

  it('asks for smaller pages after one that was too large to be read', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '1'));
    api.fault = (request, response) => {
      if (request.query.get('limit') !== '100') return false;
      response.end(Buffer.alloc(65 * 1024 * 1024, 'x'));
      return true;
    };
    await using followed = new Followed(api);
    await passing(followed, () => expect(followed.informer.synced.value).toBe(true));
    expect(api.requests.at(-1)?.query.get('limit') ?? '50').toBe('50');
  });

  it('ends a connection on which nothing comes any more, and resumes on another one', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    await followed.clock.advance(74_999);
    expect(api.requests.filter(isWatch)).toHaveLength(1);
    await followed.clock.advance(1);
    await eventually(() => expect(api.requests.filter(isWatch)).toHaveLength(2));
    expect(api.requests.filter(isList)).toHaveLength(1);
    expect(await followed.metric('kedge_kube_watches_total', 'end="silent"')).toBe(1);
    await eventually(() => expect(api.openWatches).toBe(1));
    api.put(configMaps, configMap('a', '2'));
    await eventually(() => expect(followed.content['shop/a']).toBe('2'));
  });

  it('lists anew from an API server whose history is behind, for a watch there would stay silent', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    await api.stop();
    await eventually(() => expect(followed.clock.nextDueMs).toBe(250));
    api.replaceObjects(new FakeKubeObjects(500));
    api.put(configMaps, configMap('b', 'old'));
    await api.start();
    await passing(followed, () => expect(followed.content).toEqual({ 'shop/b': 'old' }));
    expect(await followed.metric('kedge_kube_lists_total', 'reason="behind"')).toBe(1);
  });

  it('lists anew after a long outage, for the history may be another although it is ahead', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    await api.stop();
    await passing(followed, () => expect(followed.informer.problem.value).toContain('ECONNREFUSED'));
    expect(followed.content).toEqual({ 'shop/a': '1', 'shop/b': '1' });
    await passing(
      followed,
      () => expect(followed.clock.now().getTime()).toBeGreaterThan(Date.UTC(2026, 0, 1, 0, 3)),
      5_000,
    );
    api.replaceObjects(new FakeKubeObjects(5_000));
    api.put(configMaps, configMap('b', 'other'));
    await api.start();
    await passing(followed, () => expect(followed.content).toEqual({ 'shop/b': 'other' }), 1_000);
    expect(followed.informer.problem.value).toBeUndefined();
    expect(await followed.metric('kedge_kube_lists_total', 'reason="outage"')).toBe(1);
    expect(followed.log.records.filter(({ level }) => level !== 'debug').length).toBeLessThanOrEqual(3);
  });

  it('does not come back at once to an API server that ends every watch at once', async () => {
    await using api = await FakeKubeApi.start();
    await using followed = await following(api);
    const ends = new Set<number>();
    api.fault = (request, response) => {
      if (!isWatch(request)) return false;
      ends.add(followed.clock.now().getTime());
      response.writeHead(200).end();
      return true;
    };
    api.endWatches();
    await passing(followed, () => expect(ends.size).toBe(5), 250);
    expect([...ends].map((at) => at - Date.UTC(2026, 0, 1))).toEqual([250, 750, 1_750, 3_750, 7_750]);
  });
});

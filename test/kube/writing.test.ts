import { createIfAbsent } from '../../src/kube/create-if-absent.ts';
import { configMaps } from '../../src/kube/resources.ts';
import { updateWithRetry } from '../../src/kube/update-with-retry.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { configMap } from './support/followed.ts';
import type { ConfigMap } from './support/followed.ts';
import { fixedCredentials, TestConnection } from './support/kube-connection.ts';

const { signal } = new AbortController();
const place = { namespace: 'shop', name: 'a' };

describe('createIfAbsent', () => {
  it('gives the winner’s object to all who race', async () => {
    await using api = await FakeKubeApi.start();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const racers = ['1', '2', '3', '4'].map((value) =>
      createIfAbsent<ConfigMap>(client, configMaps, place, { data: { value } }, signal),
    );
    const ends = await Promise.all(racers);
    expect(ends.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(ends.map(({ object }) => object.data?.['value'])).size).toBe(1);
  });

  it('creates the object where the winner’s has gone again before it was read', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', 'winner'));
    api.fault = ({ method }) => {
      if (method === 'GET') api.delete(configMaps, 'shop/a');
      return false;
    };
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const { object, created } = await createIfAbsent<ConfigMap>(
      client,
      configMaps,
      place,
      { data: { value: 'ours' } },
      signal,
    );
    expect([created, object.data]).toEqual([true, { value: 'ours' }]);
  });

  it('hands on what else goes wrong', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 403, status(403, 'Forbidden', 'not you'));
      return true;
    };
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    expect(await refusalOf(createIfAbsent(client, configMaps, place, {}, signal))).toMatch(
      /^kube_forbidden: create configmaps: /,
    );
  });
});

describe('updateWithRetry', () => {
  const count = (object: ConfigMap): ConfigMap => ({
    ...object,
    data: { value: String(Number(object.data?.['value']) + 1) },
  });

  it('loses no change of those who write at once', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '0'));
    const clock = new ManualClock();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    let open = 4;
    const writers = [1, 2, 3, 4].map(async () => {
      await updateWithRetry({ client, clock, signal }, configMaps, place, count);
      open -= 1;
    });
    await eventually(async () => {
      await clock.advance(100);
      expect(open).toBe(0);
    });
    await Promise.all(writers);
    expect(api.objects.list('/api/v1/configmaps')).toMatchObject([{ data: { value: '4' } }]);
  });

  it('writes nothing where nothing is to be changed', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '7'));
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    const options = { client, clock: new ManualClock(), signal };
    const object = await updateWithRetry<ConfigMap>(options, configMaps, place, () => undefined);
    expect(object.data).toEqual({ value: '7' });
    expect(api.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('gives up where others are always faster', async () => {
    await using api = await FakeKubeApi.start();
    api.put(configMaps, configMap('a', '0'));
    let number = 0;
    api.fault = ({ method }) => {
      if (method === 'PUT') api.put(configMaps, configMap('a', `other ${++number}`));
      return false;
    };
    const clock = new ManualClock();
    using client = TestConnection.to({ load: fixedCredentials(api.url) });
    let said: string | undefined;
    const asked = refusalOf(updateWithRetry({ client, clock, signal }, configMaps, place, count)).then(
      (text) => {
        said = text;
      },
    );
    await eventually(async () => {
      await clock.advance(1_000);
      expect(said).toMatch(/^kube_conflict: update configmaps: /);
    });
    await asked;
    expect(number).toBe(6);
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Update } from '../../src/rpc/destination-api.ts';
import { eventually } from '../support/eventually.ts';
import { FoldedSet } from './support/folded-set.ts';
import { readText } from './support/mesh.ts';
import { Reader } from './support/reader.ts';
import { startStand } from './support/stand.ts';
import type { Stand } from './support/stand.ts';

const API = 'api.shop.svc.cluster.local:80';

/** A file in which shop/api has these endpoints on port 80. */
function fileWith(...endpoints: string[]): string {
  const list = endpoints.map((address) => `{address: ${address}, zone: eu-1a}`).join();
  return `nodes: {node-a: {zone: eu-1a}, node-b: {zone: eu-1b}}\nservices: {shop/api: {ports: {80: {endpoints: [${list}]}}}}`;
}

const nobody = 'services: {}';

function open(stand: Stand, path = API, contextToken = ''): Reader<Update> {
  return new Reader((signal) => stand.destination.get({ scheme: '', path, contextToken }, signal));
}

describe('Get', () => {
  it('answers with the whole set, then with changes', async () => {
    await using stand = await startStand({ file: fileWith('10.0.0.1', '10.0.0.2') });
    await using stream = open(stand);
    const folded = new FoldedSet();
    folded.apply([await stream.next()]);
    expect(folded.keys).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    stand.use(fileWith('10.0.0.2', '10.0.0.3'));
    const [added, removed] = [await stream.next(), await stream.next()];
    expect(added.update).toMatchObject({
      $case: 'add',
      value: { addrs: [{ addr: { port: 80 } }], metricLabels: { service: 'api', namespace: 'shop' } },
    });
    expect(removed.update).toMatchObject({ $case: 'remove', value: { addrs: [{ port: 80 }] } });
    folded.apply([added, removed]);
    expect(folded.keys).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
  });

  it('says nothing while the file changes elsewhere', async () => {
    await using stand = await startStand({ file: fileWith('10.0.0.1') });
    await using stream = open(stand);
    await stream.next();
    stand.use(`${fileWith('10.0.0.1')}\nworkloads: {shop/x: {addresses: [10.9.9.9]}}`);
    stand.use(fileWith('10.0.0.1', '10.0.0.2'));
    expect((await stream.next()).update).toMatchObject({ $case: 'add', value: { addrs: [{ addr: {} }] } });
  });

  it('holds the stream of an unknown service open and answers there when it comes', async () => {
    await using stand = await startStand({ file: nobody });
    await using stream = open(stand);
    expect((await stream.next()).update).toEqual({ $case: 'noEndpoints', value: { exists: false } });
    stand.use('services: {shop/api: {ports: {80: {}}}}');
    expect((await stream.next()).update).toEqual({ $case: 'noEndpoints', value: { exists: true } });
    stand.use(fileWith('10.0.0.1'));
    expect((await stream.next()).update?.$case).toBe('add');
    stand.use(nobody);
    expect((await stream.next()).update).toEqual({ $case: 'noEndpoints', value: { exists: false } });
  });

  it('holds the stream open until the first file has been loaded', async () => {
    await using stand = await startStand({ file: undefined });
    await using stream = open(stand);
    const first = stream.next();
    await eventually(async () => expect(await stand.metric('kedge_destination_streams{api="get"}')).toBe(1));
    stand.use(fileWith('10.0.0.1'));
    expect((await first).update?.$case).toBe('add');
  });

  it.each([
    ['10.0.0.1:80', 'expected the name of a service, got "10.0.0.1:80"; ask GetProfile for addresses'],
    [
      'example.com:443',
      'expected a name like service.namespace.svc.cluster.local, got "example.com"; names outside the cluster are not looked up here',
    ],
    ['api.shop.svc.cluster.local:x', 'expected a port from 1 to 65535, got "api.shop.svc.cluster.local:x"'],
  ])('refuses %s for good', async (path, message) => {
    await using stand = await startStand({ file: fileWith('10.0.0.1') });
    await using stream = open(stand, path);
    await expect(stream.next()).rejects.toMatchObject({
      code: 'rpc_invalid_argument',
      message: expect.stringContaining(message) as string,
    });
  });

  it('tells clients of different zones how far an endpoint is', async () => {
    await using stand = await startStand({ file: fileWith('10.0.0.1') });
    const locality = async (token: string) => {
      await using stream = open(stand, API, token);
      const { update } = await stream.next();
      return update?.$case === 'add' ? update.value.addrs[0]?.metricLabels['zone_locality'] : undefined;
    };
    expect(await locality('{"ns":"shop","nodeName":"node-a"}\n')).toBe('local');
    expect(await locality('{"nodeName":"node-b"}')).toBe('remote');
    expect(await locality('garbage')).toBe('unknown');
  });

  it('shares one subscription among all that ask for the same, and drops it with the last', async () => {
    await using stand = await startStand({ file: fileWith('10.0.0.1') });
    const subscriptions = () => stand.metric('kedge_destination_subscriptions{api="get"}');
    {
      await using first = open(stand);
      await using second = open(stand, 'API.shop.svc.cluster.local.:80');
      await using other = open(stand, 'db.shop.svc.cluster.local:80');
      await Promise.all([first.next(), second.next(), other.next()]);
      expect(await subscriptions()).toBe(2);
      stand.use(fileWith('10.0.0.2'));
      expect(await first.next()).toEqual(await second.next());
    }
    await eventually(async () => expect(await subscriptions()).toBe(0));
  });

  it('leaves a slow reader with the present state and not with all that was before', async () => {
    await using stand = await startStand({ file: fileWith('10.0.0.1') });
    await using slow = open(stand);
    const folded = new FoldedSet();
    folded.apply([await slow.next()]);
    const changes = 120;
    const many = (block: number) => Array.from({ length: 250 }, (_, i) => `10.${block}.1.${i}`);
    const [odd, even] = [1, 2].map((block) => readText(fileWith(...many(block))));
    for (let round = 1; round <= changes; round++) {
      stand.use(round % 2 === 1 ? odd! : even!);
      await nextTurn();
    }
    stand.use(fileWith('10.0.0.7'));
    let messages = 0;
    while (folded.keys.join() !== '10.0.0.7:80') {
      folded.apply([await slow.next()]);
      messages += 1;
    }
    expect(messages).toBeLessThan(changes);
  });
});

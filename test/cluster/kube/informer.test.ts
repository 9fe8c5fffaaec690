import { informer } from '../../../src/kube/informer.ts';
import type { Informer } from '../../../src/kube/informer.ts';
import type { KubeObject } from '../../../src/kube/kube-object.ts';
import type { KubeConnection } from '../../../src/kube/kube-watch.ts';
import { configMaps } from '../../../src/kube/resources.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { DeafWire } from '../../faults/support/deaf-wire.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { throttle } from './support/throttle.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const { signal } = new AbortController();

/** ConfigMaps of one namespace, followed on a clock that is turned by hand. */
class Followed implements AsyncDisposable {
  readonly clock = new ManualClock(new Date());
  readonly metrics = new Metrics();
  readonly batches: number[] = [];
  readonly informer: Informer<string>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: KubeConnection, namespace: string) {
    this.informer = informer<string, ConfigMap>({
      client,
      resource: configMaps,
      place: { namespace },
      project: ({ data }) => data?.['value'],
      clock: this.clock,
      log: new LogCapture(),
      metrics: this.metrics,
    });
    this.informer.subscribe((changes) => this.batches.push(changes.length));
    this.#running = this.informer.run(this.#stop.signal);
  }

  get content(): Record<string, string> {
    return Object.fromEntries(this.informer.entries());
  }

  passing(check: () => void | Promise<void>, stepMs = 200): Promise<void> {
    return eventually(async () => {
      await this.clock.advance(stepMs);
      await check();
    });
  }

  /** Once a watch stands, which begins only after a list was told. */
  watching(): Promise<void> {
    return eventually(() => expect(this.clock.nextDueMs).toBeGreaterThan(30_000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function put(client: KubeConnection, namespace: string, name: string, value: string): Promise<void> {
  const object = { metadata: { name }, data: { value } };
  await client.apply(configMaps, { namespace, name }, object, { force: true }, signal);
}

/** What the API server says there is. */
async function truth(client: KubeConnection, namespace: string): Promise<Record<string, string>> {
  const { items } = await client.list<ConfigMap>(configMaps, { namespace }, {}, signal);
  const values = items.filter(({ data }) => data?.['value'] !== undefined);
  return Object.fromEntries(
    values.map(({ metadata, data }) => [`${namespace}/${metadata.name}`, data?.['value'] ?? '']),
  );
}

onKubernetes('an informer on a real API server', (cluster: TestCluster) => {
  it('sees what is there page by page, and each change', async () => {
    const client = await cluster.client();
    const namespace = await cluster.createNamespace('synced');
    await Promise.all(Array.from({ length: 130 }, (_, n) => put(client, namespace, `map-${n}`, String(n))));
    await using followed = new Followed(client, namespace);
    await followed.informer.synced.until((synced) => synced);
    expect(Object.keys(followed.content)).toHaveLength(130);
    expect(followed.batches).toEqual([130]);
    await put(client, namespace, 'map-7', 'changed');
    await client.remove(configMaps, { namespace, name: 'map-8' }, signal);
    await eventually(async () => expect(followed.content).toEqual(await truth(client, namespace)));
    expect(followed.informer.get('synced/map-7')).toBe('changed');
  });

  it('lists anew when etcd was compacted while it was away, and tells only the differences', async () => {
    const client = await cluster.client();
    const namespace = await cluster.createNamespace('compacted');
    for (const name of ['kept', 'changed', 'removed']) await put(client, namespace, name, '1');
    await using followed = new Followed(client, namespace);
    await followed.informer.synced.until((synced) => synced);
    await cluster.kill();
    await eventually(() => expect(followed.clock.nextDueMs).toBeLessThan(1_000));
    await cluster.restart();
    await put(client, namespace, 'changed', '2');
    await client.remove(configMaps, { namespace, name: 'removed' }, signal);
    await cluster.compact();
    await cluster.restart();
    followed.batches.length = 0;
    await followed.passing(() =>
      expect(followed.content).toEqual({ 'compacted/kept': '1', 'compacted/changed': '2' }),
    );
    expect(followed.batches).toEqual([2]);
    expect(await followed.metrics.text()).toContain(
      'kedge_kube_lists_total{resource="configmaps",reason="expired"} 1',
    );
  });

  it('loses nothing and invents nothing when the API server is killed and restarted under load', async () => {
    const client = await cluster.client();
    const namespace = await cluster.createNamespace('loaded');
    await using followed = new Followed(client, namespace);
    await followed.informer.synced.until((synced) => synced);
    const load = { on: true };
    const writers = [0, 1, 2].map(async (writer) => {
      for (let n = 0; load.on; n++) {
        const name = `map-${writer}-${n % 20}`;
        const write =
          n % 7 === 6
            ? client.remove(configMaps, { namespace, name }, signal)
            : put(client, namespace, name, String(n));
        // Most of these fail while nobody is there.
        await write.catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
      }
    });
    for (let kill = 0; kill < 2; kill++) {
      const changes = followed.batches.length;
      await followed.passing(() => expect(followed.batches.length).toBeGreaterThan(changes + 20), 50);
      await cluster.kill();
      await cluster.restart();
    }
    load.on = false;
    await Promise.all(writers);
    await followed.passing(async () => expect(followed.content).toEqual(await truth(client, namespace)));
    expect(followed.informer.problem.value).toBeUndefined();
  });

  it('keeps what it knows when its right is taken away, and goes on when it is given back', async () => {
    const admin = await cluster.client();
    const namespace = await cluster.createNamespace('ruled');
    const grant = [
      'create',
      'rolebinding',
      'reader',
      '--clusterrole=view',
      `--serviceaccount=${namespace}:default`,
    ];
    await cluster.kubectl([...grant, '-n', namespace]);
    await put(admin, namespace, 'a', '1');
    const client = await cluster.clientAs({ namespace, name: 'default' });
    await using followed = new Followed(client, namespace);
    await followed.passing(() => expect(followed.informer.synced.value).toBe(true));
    await cluster.kubectl(['delete', 'rolebinding', 'reader', '-n', namespace]);
    // A watch is judged when it begins.
    await cluster.kill();
    await cluster.restart();
    await followed.passing(() =>
      expect(followed.informer.problem.value).toContain('cannot list resource "configmaps"'),
    );
    expect(followed.content).toEqual({ 'ruled/a': '1' });
    await put(admin, namespace, 'a', '2');
    await cluster.kubectl([...grant, '-n', namespace]);
    await followed.passing(() => expect(followed.content).toEqual({ 'ruled/a': '2' }), 1_000);
    expect(followed.informer.problem.value).toBeUndefined();
  });

  it('ends a watch that has gone silent, and has what was changed meanwhile', async () => {
    await using on = await onAWire('silent');
    const { namespace, admin } = on;
    await put(admin, namespace, 'a', '1');
    await using followed = new Followed(on.client, namespace);
    await followed.watching();
    on.wire.deafen();
    await put(admin, namespace, 'a', '2');
    expect(followed.content).toEqual({ 'silent/a': '1' });
    await followed.passing(() => expect(followed.content).toEqual({ 'silent/a': '2' }), 1_000);
    expect(await followed.metrics.text()).toMatch(/kedge_kube_watches_total{.*end="silent"} [1-9]/);
  });

  it('keeps what it knows while it is throttled, and goes on when it is let through', async () => {
    await using on = await onAWire('throttled');
    const { namespace, admin } = on;
    await put(admin, namespace, 'a', '1');
    await using followed = new Followed(on.client, namespace);
    await followed.watching();
    const throttled = await throttle(cluster, namespace);
    on.wire.deafen();
    await followed.passing(() => expect(followed.informer.problem.value).toContain('answered 429'), 1_000);
    await put(admin, namespace, 'a', '2');
    expect(followed.content).toEqual({ 'throttled/a': '1' });
    throttled.end();
    await followed.passing(() => expect(followed.content).toEqual({ 'throttled/a': '2' }), 1_000);
    expect(followed.informer.problem.value).toBeUndefined();
  });

  /** A namespace whose default account may look at it, over a wire that can go silent. */
  const onAWire = async (name: string) => {
    const namespace = await cluster.createNamespace(name);
    const account = `--serviceaccount=${namespace}:default`;
    await cluster.kubectl([
      'create',
      'rolebinding',
      'reader',
      '--clusterrole=view',
      account,
      '-n',
      namespace,
    ]);
    const { hostname: host, port } = new URL(cluster.server);
    const wire = await new DeafWire({ host, port: Number(port) }).start();
    const server = `https://127.0.0.1:${wire.address.port}`;
    const kubeconfig = await cluster.kubeconfigAs({ namespace, name: 'default' }, server);
    const [admin, client] = await Promise.all([cluster.client(), cluster.client({ kubeconfig })]);
    return { namespace, wire, admin, client, [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose]() };
  };
});

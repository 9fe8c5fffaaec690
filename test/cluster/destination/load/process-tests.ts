import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import type { Channel } from '../../../../src/rpc/channel.ts';
import type { OutboundPolicy } from '../../../../src/rpc/outbound-policy-api.ts';
import { outboundPolicyClient } from '../../../../src/rpc/outbound-policy-api.ts';
import { toldOutbound } from '../../../destination/support/told-outbound.ts';
import { HeldStream } from '../support/held-stream.ts';
import { trafficTo } from '../support/served-destination.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { Churn } from '../support/churn.ts';
import { DestinationPlane } from '../support/destination-plane.ts';
import type { DestinationProcess } from '../support/destination-process.ts';
import { listedEndpoints } from '../support/listed.ts';
import { Watcher } from '../support/watcher.ts';

const timeoutMs = 300_000;
/** Who could not reach the API server for long asks again within half a minute. */
const backWithinMs = 90_000;
const followed = ['services', 'pods', 'nodes', 'namespaces', 'endpointslices', 'servers'];

/** Asks for `/ready` again and again, and keeps every status that there was. */
class ReadyLog implements AsyncDisposable {
  readonly seen = new Set<string>();
  #on = true;
  readonly #asking: Promise<void>;

  constructor(process: DestinationProcess) {
    this.#asking = this.#ask(process);
  }

  async #ask(process: DestinationProcess): Promise<void> {
    while (this.#on) {
      this.seen.add((await process.ready()).slice(0, 3));
      await pause(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#on = false;
    await this.#asking;
  }
}

/** Each watcher has exactly what the API server lists, and nothing of what it does not. */
async function expectListed(
  cluster: TestCluster,
  namespace: string,
  watchers: ReadonlyMap<string, Watcher>,
): Promise<void> {
  await eventually(async () => {
    const listed = await listedEndpoints(cluster, namespace);
    for (const [path, { keys, broken }] of watchers) {
      expect(broken).toBeUndefined();
      expect([path, keys]).toEqual([path, listed.get(path) ?? []]);
    }
  }, backWithinMs);
}

/** The streams that tell where connections to each of the paths go. */
function followOutbound(channel: Channel, paths: readonly string[]): Map<string, HeldStream<OutboundPolicy>> {
  const client = outboundPolicyClient(channel);
  const held = (path: string) => new HeldStream((signal) => client.watch(trafficTo(qualified(path)), signal));
  return new Map(paths.map((path) => [path, held(path)]));
}

function qualified(path: string): string {
  return path.replace(/(?=:\d+$)/, '.svc.cluster.local');
}

/** Connections go to each Service that the API server lists, and are refused to each that it does not. */
async function expectOutbound(
  cluster: TestCluster,
  namespace: string,
  streams: ReadonlyMap<string, HeldStream<OutboundPolicy>>,
): Promise<void> {
  await eventually(async () => {
    const listed = await listedEndpoints(cluster, namespace);
    for (const [path, { last, broken }] of streams) {
      expect(broken).toBeUndefined();
      const expected = listed.has(path) ? `detect ${qualified(path)}` : 'opaque forbidden';
      expect([path, last && toldOutbound(last)]).toEqual([path, expected]);
    }
  }, backWithinMs);
}

/** Several destination processes, and an API server that comes and goes. */
export function processTests(cluster: TestCluster): void {
  let plane: DestinationPlane;

  beforeAll(async () => {
    plane = await DestinationPlane.install(cluster);
  }, timeoutMs);

  afterAll(() => plane[Symbol.asyncDispose]());

  const ready = (process: DestinationProcess): Promise<void> =>
    eventually(async () => expect(await process.ready()).toBe('200 ready\n'), backWithinMs);

  /** Follows each of the paths. */
  const watch = async (process: DestinationProcess, paths: readonly string[]) => {
    const channel = await plane.connect(process);
    return new Map(paths.map((path) => [path, new Watcher(channel, path)]));
  };

  it(
    'stay ready, lose nothing and invent nothing while the API server is killed and restarted under load',
    async () => {
      const namespace = await cluster.createNamespace('churn');
      await using own = new AsyncDisposableStack();
      const churn = await new Churn(cluster, namespace, 12).start();
      own.defer(() => churn.stop());
      const paths = churn.names.map((name) => `${name}.${namespace}:80`);
      const replicas = [await plane.start(), await plane.start()];
      await Promise.all(replicas.map(ready));
      const logs = replicas.map((replica) => own.use(new ReadyLog(replica)));
      const watchers = await Promise.all(replicas.map((replica) => watch(replica, paths)));
      const policies = await Promise.all(
        replicas.map(async (replica) => followOutbound(await plane.connectPolicy(replica), paths)),
      );
      for (const each of policies) for (const stream of each.values()) own.use(stream);
      const all = (): Watcher[] => watchers.flatMap((each) => [...each.values()]);
      for (const watcher of all()) own.use(watcher);
      const told = () =>
        watchers.map((each) => [...each.values()].reduce((sum, { messages }) => sum + messages, 0));
      const goesOn = async () => {
        const before = told();
        await eventually(() => {
          for (const [i, now] of told().entries()) expect(now).toBeGreaterThan((before[i] ?? 0) + 20);
        }, backWithinMs);
      };

      await goesOn();
      await cluster.kill();
      const confirmed = () =>
        Promise.all(
          replicas.flatMap((replica) =>
            followed.map((kind) => replica.sample('kedge_kube_confirmed_timestamp_seconds', `"${kind}"`)),
          ),
        );
      for (const replica of replicas) {
        await eventually(async () => {
          const said = await replica.ready();
          expect(said).toMatch(/^200 ready\ndegraded: kubernetes: /);
          for (const kind of followed)
            expect(said).toContain(` ${kind}: expected an answer of the API server`);
        }, backWithinMs);
      }
      const confirmedLast = await confirmed();
      expect(Math.max(...confirmedLast)).toBeLessThanOrEqual(Date.now() / 1000);
      // Who asks only now is told what was known.
      const busy = watchers.map((each) => [...each].find(([, { keys }]) => keys.length > 0));
      for (const [i, found] of busy.entries()) {
        const [path = '', { keys = [] } = {}] = found ?? [];
        const [late] = (await watch(replicas[i]!, [path])).values();
        own.use(late!);
        await eventually(() => expect(late?.keys).toEqual(keys));
        expect(keys).not.toEqual([]);
      }

      const third = await plane.start();
      await eventually(async () => {
        const said = await third.ready();
        expect(said).toMatch(/^503 not ready\nwaiting: kubernetes: not listed yet: services, .*servers/);
        // It has its certificate, so it serves.
        expect(said.split('\n')).toHaveLength(3);
      });
      const behind = await watch(third, paths);
      for (const watcher of behind.values()) own.use(watcher);
      await eventually(async () =>
        expect(await third.sample('kedge_destination_streams', 'api="get"')).toBe(paths.length),
      );
      expect([...behind.values()].map(({ messages }) => messages)).toEqual(paths.map(() => 0));

      // They are as old as they are said to be.
      expect(await confirmed()).toEqual(confirmedLast);
      await cluster.restart();
      await goesOn();
      await ready(third);
      // Now every watch has to begin with a list.
      await cluster.compact();
      await cluster.restart();
      await goesOn();
      await churn.stop();
      for (const each of [...watchers, behind]) await expectListed(cluster, namespace, each);
      for (const each of policies) await expectOutbound(cluster, namespace, each);
      for (const replica of replicas) {
        const anew = () => replica.sample('kedge_kube_lists_total', 'reason="expired"');
        await eventually(async () => expect(await anew()).toBeGreaterThan(0), backWithinMs);
      }
      for (const { seen } of logs) expect([...seen]).toEqual(['200']);
      expect([...replicas, third].flatMap(({ errors }) => errors)).toEqual([]);
    },
    timeoutMs,
  );
}

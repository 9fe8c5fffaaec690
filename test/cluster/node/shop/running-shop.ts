import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { rolledOut } from '../rollout.ts';
import { shopNamespace, shopObjects, steadyClient } from './shop.ts';
import type { Tally } from './steady-client.ts';

/** Ports of `web` that lead to `api`: through the name of its Service, or its address. */
export const ways = { name: 8001, address: 8002 } as const;

/** Who `web` proves to be. */
export const webIdentity = 'web.shop.serviceaccount.identity.kedge.cluster.local';

/** The two Deployments with their sidecars, in a cluster that has Kedge. */
export class RunningShop {
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** Makes them, each with as many pods as told, and waits until all are ready. The namespace has to be there. */
  async open(replicas = 2): Promise<void> {
    await this.#apply(shopObjects(replicas));
    await rolledOut(this.#cluster, shopNamespace);
  }

  /** What kubectl printed in the namespace of the shop. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<string> {
    return this.#cluster.kubectl([`--namespace=${shopNamespace}`, ...args], options);
  }

  /** What the application of `web` gets for a call to `api`: the name of the pod that answered. */
  call(way: keyof typeof ways): Promise<string> {
    return this.inWeb(
      `fetch('http://127.0.0.1:${ways[way]}').then((answer) => answer.text()).then(console.log)`,
    );
  }

  /** What a program printed, in the application's container of `web`. */
  async inWeb(script: string): Promise<string> {
    const command = ['exec', 'deploy/web', '--container=application', '--', 'node', '--eval', script];
    return eventually(() => this.kubectl(command));
  }

  /** The metrics of the proxies of all pods of `api`, one after the other. */
  async metricsOfApi(): Promise<string> {
    const pods = await this.kubectl(['get', 'pods', '--selector=app=api', '--output=name']);
    const names = pods
      .trim()
      .split('\n')
      .map((name) => name.replace('pod/', ''));
    return (await Promise.all(names.map((name) => this.#metricsOf(name)))).join('\n');
  }

  /** The lines of those metrics that count connections of `web`: those opened so far, or those open now. */
  async connectionsOfWeb(
    metric: 'tcp_open_total' | 'tcp_open_connections' = 'tcp_open_total',
  ): Promise<string[]> {
    const lines = (await this.metricsOfApi()).split('\n');
    return lines.filter(
      (line) => line.startsWith(`${metric}{`) && line.includes(`client_id="${webIdentity}"`),
    );
  }

  /** Starts the client that asks all the time, and waits until it has got a few answers. */
  async startSteadyClient(): Promise<void> {
    await this.#apply(steadyClient);
    await eventually(async () => {
      const { answered } = await this.tally();
      if (answered <= 40) throw new Error(`expected the steady client to get answers, it got ${answered}`);
    });
  }

  /** What the steady client has seen so far. */
  async tally(): Promise<Tally> {
    return JSON.parse(await this.kubectl(['logs', 'steady-client', '--tail=1'])) as Tally;
  }

  /** Waits until the steady client has got a few answers more, and gives what it has seen. */
  async laterTally(): Promise<Tally> {
    const before = await this.tally();
    return eventually(async () => {
      const after = await this.tally();
      if (after.answered > before.answered + 40) return after;
      throw new Error(`expected more answers, got ${JSON.stringify(after)}`);
    });
  }

  async #apply(objects: object): Promise<void> {
    await this.#cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(objects) });
  }

  #metricsOf(pod: string): Promise<string> {
    const path = `/api/v1/namespaces/${shopNamespace}/pods/${pod}:4191/proxy/metrics`;
    return this.#cluster.kubectl(['get', '--raw', path]);
  }
}

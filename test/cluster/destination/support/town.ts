import type { TestCluster } from '../../test-cluster.ts';
import type { Kind, PodParts, PodStatus } from './objects.ts';
import { create, patch, placeOf, pod, run, service } from './objects.ts';

export interface TownPod extends PodParts, Omit<PodStatus, 'ips' | 'hostIP'> {
  /** `n1` unless told. */
  readonly node?: keyof typeof nodes;
  /** Whether it has an address of each family. */
  readonly dual?: boolean;
}

/** Nodes that there is nothing behind. That which is not ready counts for no zone, so both are of one size. */
export const nodes = {
  n1: { zone: 'eu-1a', ip: '192.0.2.1', ready: 'True' },
  n2: { zone: 'eu-1b', ip: '192.0.2.2', ready: 'True' },
  n3: { zone: 'eu-1b', ip: '192.0.2.3', ready: 'False' },
} as const;

/** A namespace, whose pods have addresses that no other has, and what can be done in it. */
export class Town {
  readonly name: string;
  readonly #cluster: TestCluster;
  readonly #network: number;

  /** `network` is another number for each. */
  static async create(cluster: TestCluster, name: string, network: number): Promise<Town> {
    return new Town(cluster, await cluster.createNamespace(name), network);
  }

  private constructor(cluster: TestCluster, name: string, network: number) {
    this.name = name;
    this.#cluster = cluster;
    this.#network = network;
  }

  /** The address of the pod of that number. */
  ip(pod: number): string {
    return `10.200.${this.#network}.${pod}`;
  }

  ip6(pod: number): string {
    return `fd00:200:${this.#network}::${pod}`;
  }

  /** The name of the ServiceAccount's identity. */
  identity(account: string): string {
    return `${account}.${this.name}.serviceaccount.identity.kedge.cluster.local`;
  }

  /** A running pod with the label `app: web`. */
  async pod(name: string, number: number, parts: TownPod = {}): Promise<void> {
    const { node = 'n1', dual = false, ready = true, labels, spec, ...rest } = parts;
    const whole = { ...rest, labels: { app: 'web', ...labels }, spec: { nodeName: node, ...spec } };
    await create(this.#cluster, 'Pod', this.name, pod(name, whole));
    const ips = [this.ip(number), ...(dual ? [this.ip6(number)] : [])];
    await run(this.#cluster, this.name, name, { ips, ready, hostIP: nodes[node].ip });
  }

  /** A pod says that it is ready, or not. */
  async setReady(name: string, number: number, ready: boolean): Promise<void> {
    await run(this.#cluster, this.name, name, { ips: [this.ip(number)], ready });
  }

  /** A Service of the pods with the label `app: web`; gives its cluster addresses. */
  async service(name: string, spec: object = {}): Promise<readonly string[]> {
    await create(this.#cluster, 'Service', this.name, service(name, { selector: { app: 'web' }, ...spec }));
    return (await this.serviceSpec(name)).clusterIPs ?? [];
  }

  async serviceSpec(name: string): Promise<{
    readonly clusterIPs?: readonly string[];
    readonly ports: readonly { readonly nodePort?: number }[];
  }> {
    const place = placeOf('Service', this.name, name);
    return (await this.#cluster.expect<{ spec: Awaited<ReturnType<Town['serviceSpec']>> }>(place)).spec;
  }

  async create(kind: Kind, body: Parameters<typeof create>[3]): Promise<void> {
    await create(this.#cluster, kind, this.name, body);
  }

  async patch(kind: Kind, name: string, body: object, part: '' | '/status' = ''): Promise<void> {
    await patch(this.#cluster, `${placeOf(kind, this.name, name)}${part}`, body);
  }

  /** Annotates an object, or without one the namespace; null takes an annotation away. */
  async annotate(
    annotations: Readonly<Record<string, string | null>>,
    of?: readonly [kind: Kind, name: string],
  ) {
    const path = of === undefined ? `/api/v1/namespaces/${this.name}` : placeOf(of[0], this.name, of[1]);
    await patch(this.#cluster, path, { metadata: { annotations } });
  }

  /** At once, or after a time in which a pod ends. */
  async delete(kind: Kind, name: string, graceSeconds = 0): Promise<void> {
    const path = `${placeOf(kind, this.name, name)}?gracePeriodSeconds=${graceSeconds}`;
    await this.#cluster.expect(path, { method: 'DELETE' });
  }
}

/** Makes the nodes known. */
export async function addNodes(cluster: TestCluster): Promise<void> {
  for (const [name, { zone, ip, ready }] of Object.entries(nodes)) {
    const metadata = { name, labels: { 'topology.kubernetes.io/zone': zone } };
    await cluster.expect('/api/v1/nodes', { method: 'POST', body: { metadata } });
    const status = {
      addresses: [{ type: 'InternalIP', address: ip }],
      allocatable: { cpu: '2' },
      conditions: [{ type: 'Ready', status: ready }],
    };
    await patch(cluster, `/api/v1/nodes/${name}/status`, { status });
  }
}

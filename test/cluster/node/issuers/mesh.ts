import { writeFileSync } from 'node:fs';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace, runChart } from '../install-kedge.ts';
import { rolledOut } from '../rollout.ts';
import { RunningShop } from '../shop/running-shop.ts';
import { shopNamespace } from '../shop/shop.ts';
import { Authorities } from './authorities.ts';
import type { Combination } from './combinations.ts';
import { createOperator } from './issuer-status.ts';
import { objectsOfMesh, remove } from './left-behind.ts';

/** A cluster with the CAs of a company, where Kedge and the shop come and go. */
export class Mesh {
  readonly authorities: Authorities;
  readonly shop: RunningShop;
  readonly #cluster: TestCluster;
  #before = new Set<string>();

  private constructor(cluster: TestCluster, authorities: Authorities) {
    this.#cluster = cluster;
    this.authorities = authorities;
    this.shop = new RunningShop(cluster);
  }

  static async prepare(cluster: TestCluster): Promise<Mesh> {
    for (const name of [controlNamespace, shopNamespace]) await cluster.createNamespace(name);
    const [authorities] = await Promise.all([
      Authorities.start(cluster),
      createOperator(cluster),
      cluster.loadImage('kedge'),
    ]);
    return new Mesh(cluster, authorities);
  }

  /** Installs the release, and waits until it is ready, unless something is to be put right before. */
  async install({ values }: Combination, { wait = true } = {}): Promise<void> {
    this.#before = await objectsOfMesh(this.#cluster);
    await runChart(this.#cluster, 'install', [...this.#values(values), ...(wait ? ['--wait'] : [])]);
  }

  /** Moves the release to another issuer under the anchors that it has, as docs/issuers/moving.md tells operators. */
  async move({ values }: Combination): Promise<void> {
    const bundle = `/api/v1/namespaces/${controlNamespace}/configmaps/kedge-trust-bundle`;
    const { data } = await this.#cluster.expect<{ readonly data: Record<string, string> }>(bundle);
    const file = this.#cluster.file('kept-anchors.pem');
    writeFileSync(file, data['ca-bundle.crt'] ?? '');
    const anchors = `--set-file=trust.anchors=${file}`;
    await runChart(this.#cluster, 'upgrade', ['--reuse-values', '--rollback-on-failure', ...values, anchors]);
  }

  /** Waits until a release is ready that nobody waited for. */
  async ready(): Promise<void> {
    await rolledOut(this.#cluster, controlNamespace);
  }

  /** What the admin page of identity says of its readiness. */
  async readiness(): Promise<{ readonly status: number; readonly body: string }> {
    const pods = `/api/v1/namespaces/${controlNamespace}/pods`;
    const selector = 'labelSelector=app.kubernetes.io/component=identity';
    const { items } = await this.#cluster.expect<{
      readonly items: readonly { readonly metadata: { readonly name: string } }[];
    }>(`${pods}?${selector}`);
    const { status, body } = await this.#cluster.call(
      `${pods}/${items[0]?.metadata.name ?? ''}:9990/proxy/ready`,
    );
    return { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
  }

  /** Takes the shop and the release away, and gives what is still there of it; then that goes too. */
  async uninstall(): Promise<string[]> {
    const everything = ['deployments,pods', '--all', '--grace-period=1', '--wait=false'];
    await this.shop.kubectl(['delete', ...everything]);
    await this.#cluster.helm(['uninstall', 'kedge', `--namespace=${controlNamespace}`, '--wait']);
    const left = await eventually(async () => {
      const objects = await this.#present();
      const going = objects.filter((object) =>
        /^(Pod|ReplicaSet|EndpointSlice|CertificateRequest) /.test(object),
      );
      if (going.length > 0) throw new Error(`expected these to go: ${going.join(', ')}`);
      return objects;
    });
    await remove(this.#cluster, left);
    return left;
  }

  async #present(): Promise<string[]> {
    const objects = await objectsOfMesh(this.#cluster);
    return [...objects].filter((object) => !this.#before.has(object)).toSorted();
  }

  #values(values: readonly string[]): string[] {
    return values.map((value) => value.replace('ANCHOR', this.#cluster.file('anchor.pem')));
  }
}

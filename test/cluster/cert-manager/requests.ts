import { eventually } from '../../support/eventually.ts';
import type { TestCluster } from '../test-cluster.ts';
import { certManagerPath, setConditions } from './objects.ts';
import type { CertManagerObject, Condition } from './objects.ts';

/** The CertificateRequests of the mesh in one namespace on a real API server; those of Certificates are none of them. */
export class Requests {
  readonly #cluster: TestCluster;
  readonly #namespace: string;

  constructor(cluster: TestCluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  async all(): Promise<readonly CertManagerObject[]> {
    const mine = 'labelSelector=app.kubernetes.io/managed-by=kedge-identity';
    const path = `${certManagerPath('certificaterequests', this.#namespace)}?${mine}`;
    return (await this.#cluster.expect<{ items: CertManagerObject[] }>(path)).items;
  }

  /** The only one, once it is there and is none of `before`. */
  only(...before: readonly CertManagerObject[]): Promise<CertManagerObject> {
    return eventually(async () => {
      const [first, ...others] = await this.all();
      const isNew = before.every(({ metadata }) => metadata.uid !== first?.metadata.uid);
      if (first !== undefined && others.length === 0 && isNew) return first;
      throw new Error(`expected one request, got ${others.length + 1}, or the one of before`);
    });
  }

  /** Waits until none is left. */
  gone(): Promise<void> {
    return eventually(async () =>
      expect((await this.all()).map(({ metadata }) => metadata.name)).toEqual([]),
    );
  }

  /** As an approver, a controller or an external issuer would. */
  decide(
    { metadata }: CertManagerObject,
    conditions: readonly Condition[],
    more: object = {},
  ): Promise<void> {
    return setConditions(this.#cluster, this.#path(metadata.name), conditions, more);
  }

  async delete({ metadata }: CertManagerObject): Promise<void> {
    await this.#cluster.expect(this.#path(metadata.name), { method: 'DELETE' });
  }

  #path(name: string): string {
    return certManagerPath('certificaterequests', this.#namespace, name);
  }
}

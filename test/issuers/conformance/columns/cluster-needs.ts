import { randomBytes } from 'node:crypto';
import type { IssuerNeeds } from '../../../../src/issuers/create-issuer.ts';
import { watchNamed } from '../../../../src/kube/informer.ts';
import { secrets } from '../../../../src/kube/resources.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import type { TestCluster } from '../../../cluster/test-cluster.ts';
import type { Surroundings } from '../open-issuer.ts';

/** A namespace for one cell. */
export function newNamespace(cluster: TestCluster): Promise<string> {
  return cluster.createNamespace(`cell-${randomBytes(4).toString('hex')}`);
}

/** What issuers need of a cluster, as the identity service gives it to them. */
export async function clusterNeeds(
  cluster: TestCluster,
  namespace: string,
): Promise<(around: Surroundings) => Required<Pick<IssuerNeeds, 'secret' | 'kube'>>> {
  const client = await cluster.client();
  return ({ log, metrics, signal }) => ({
    kube: { client, namespace, replica: 'identity-0' },
    secret: (name, project) => {
      const place = { namespace, name };
      const followed = watchNamed(place, {
        ...{ client, clock: systemClock, log, metrics },
        ...{ resource: secrets, project },
      });
      void followed.run(signal);
      return { secrets: followed, key: `${namespace}/${name}` };
    },
  });
}

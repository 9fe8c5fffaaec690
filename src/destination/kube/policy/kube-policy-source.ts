import { isDeepStrictEqual } from 'node:util';
import type { PolicySource, PortPolicy } from '../../policy-source.ts';
import type { Watched } from '../../watched.ts';
import type { WorkloadName } from '../../workload-name.ts';
import { workloadKey } from '../../workload-name.ts';
import { allSynced } from '../all-synced.ts';
import type { Cluster } from '../cluster.ts';
import type { ServerProtocols } from '../server-protocols.ts';
import type { ViewFailures } from '../view-failures.ts';
import { Views } from '../views.ts';
import type { PolicyCollections } from './policy-objects.ts';
import { PolicyObjects } from './policy-objects.ts';
import type { PolicyDefaults } from './port-policy.ts';
import { portPolicy } from './port-policy.ts';

/**
 * Inbound policy out of the objects of a cluster. Nothing is answered before all of them have been seen once: a
 * Server that is not there yet would let in whom it forbids.
 */
export class KubePolicySource implements PolicySource {
  readonly #views: Views;
  readonly #objects: PolicyObjects;
  readonly #defaults: PolicyDefaults;

  constructor(
    cluster: Cluster,
    collections: PolicyCollections,
    defaults: PolicyDefaults,
    failures: ViewFailures,
  ) {
    const views = new Views(allSynced({ cluster, ...collections }), failures);
    this.#views = views;
    this.#objects = new PolicyObjects(cluster, collections, (topics) => views.touch(topics));
    this.#defaults = defaults;
  }

  watchPolicy(workload: WorkloadName, port: number): Watched<PortPolicy> {
    const at = { key: workloadKey(workload), port };
    return this.#views.watch({
      view: 'policy',
      target: `${at.key}:${port}`,
      read: (topics) => portPolicy(this.#objects, this.#defaults, at, topics),
      same: isDeepStrictEqual,
    });
  }

  /** What Servers say of protocols, for whoever tells clients of endpoints. */
  get protocols(): ServerProtocols {
    return this.#objects.servers;
  }
}

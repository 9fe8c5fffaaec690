import { isDeepStrictEqual } from 'node:util';
import type { Latest } from '../../../runtime/latest.ts';
import type { PolicySource, PortPolicy } from '../../policy-source.ts';
import type { Watched } from '../../watched.ts';
import type { WorkloadName } from '../../workload-name.ts';
import { workloadKey } from '../../workload-name.ts';
import type { ServerProtocols } from '../server-protocols.ts';
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
  readonly #views = new Views();
  readonly #objects: PolicyObjects;
  readonly #defaults: PolicyDefaults;

  constructor(collections: PolicyCollections, defaults: PolicyDefaults) {
    this.#objects = new PolicyObjects(collections, (topics) => this.#views.touch(topics));
    this.#defaults = defaults;
    const waiting = Object.values(collections).map(({ synced }: { synced: Latest<boolean> }) => synced);
    const openWhenSeen = () => {
      if (waiting.every(({ value }) => value)) this.#views.open();
    };
    for (const synced of waiting) synced.subscribe(openWhenSeen);
    openWhenSeen();
  }

  watchPolicy(workload: WorkloadName, port: number): Watched<PortPolicy> {
    const at = { key: workloadKey(workload), port };
    return this.#views.watch(
      (topics) => portPolicy(this.#objects, this.#defaults, at, topics),
      isDeepStrictEqual,
    );
  }

  /** What Servers say of protocols, for whoever tells clients of endpoints. */
  get protocols(): ServerProtocols {
    return this.#objects.servers;
  }
}

import type { Collection } from '../../../kube/collection.ts';
import type { Latest } from '../../../runtime/latest.ts';
import type { PortProtocol } from '../../workload.ts';
import type { Touched } from '../indexed.ts';
import { keepIndexed } from '../indexed.ts';
import type { Topics } from '../lookup.ts';
import { Lookup } from '../lookup.ts';
import type { ExternalWorkload } from '../external-workload.ts';
import type { Pod } from '../pod.ts';
import type { ServerProtocols } from '../server-protocols.ts';
import type { PolicyWorkload } from './policy-workload.ts';
import { externalWorkload, podWorkload } from './policy-workload.ts';
import type { ServerRules } from './server-rules.ts';
import { governs } from './server-rules.ts';

/** Which Server speaks for a port. */
export class Servers implements ServerProtocols {
  /** By the namespace and the port, as the Server gives it. */
  readonly #byPort = new Lookup<ServerRules>('server', ({ namespace, port }) =>
    port === undefined ? [] : [`${namespace} ${port}`],
  );
  readonly #collection: Collection<ServerRules>;

  constructor(collection: Collection<ServerRules>, touched: Touched) {
    this.#collection = collection;
    keepIndexed(collection, [this.#byPort], touched);
  }

  get synced(): Latest<boolean> {
    return this.#collection.synced;
  }

  /** The oldest of the Servers for that port, or the first by name of several as old (contract 5.6). */
  governing(workload: PolicyWorkload, port: number, topics: Topics): ServerRules | undefined {
    const names = workload.ports.filter((each) => each.port === port).map(({ name }) => name);
    const spellings = new Set([port, ...names.filter((name) => name !== undefined)]);
    return [...spellings]
      .flatMap((spelling) => this.#byPort.find(`${workload.namespace} ${spelling}`, topics))
      .filter((server) => governs(server, workload, port))
      .reduce<ServerRules | undefined>(first, undefined);
  }

  protocolOf(workload: Pod | ExternalWorkload, port: number): PortProtocol | undefined {
    const selected = 'serviceAccount' in workload ? podWorkload(workload) : externalWorkload(workload);
    return this.governing(selected, port, new Set())?.protocol;
  }

  subscribe(listener: (namespace: string) => void): () => void {
    return this.#collection.subscribe((changes) => {
      const servers = changes.flatMap(({ before, after }) => [before, after]);
      const namespaces = servers.flatMap((server) => (server === undefined ? [] : [server.namespace]));
      for (const namespace of new Set(namespaces)) listener(namespace);
    });
  }
}

function first(a: ServerRules | undefined, b: ServerRules): ServerRules {
  if (a === undefined || b.created < a.created) return b;
  return b.created === a.created && b.name < a.name ? b : a;
}

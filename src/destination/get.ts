import type { GetDestination, Update } from '../rpc/destination-api.ts';
import type { StreamWriter } from '../rpc/stream-writer.ts';
import { quoted } from '../runtime/quoted.ts';
import { parseContextToken } from './context-token.ts';
import type { EndpointSet } from './endpoint-set.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { destinationErrors } from './errors.ts';
import { Subscriptions } from './subscriptions.ts';
import type { ServiceTarget } from './target.ts';
import { parseTarget, qualifiedName } from './target.ts';
import { tell } from './tell.ts';
import type { UpdateStep } from './update-feed.ts';
import { updateFeed } from './update-feed.ts';
import type { Watched } from './watched.ts';

/**
 * `Get`: where a service's endpoints are (contract 4.4).
 *
 * Only what can never become right is refused: a path that is no name of this cluster. A service or port that is not
 * defined is answered with `no_endpoints{exists: false}` on a stream that stays open. NOT_FOUND, which Linkerd's
 * server gives there, makes proxies come back with growing pauses, so that a service would be seen up to a minute
 * after it was made; on the open stream it is seen at once, and both data planes refuse connections meanwhile.
 */
export class Get {
  readonly #source: EndpointSource;
  readonly #clusterDomain: string;
  readonly #targets = new Subscriptions<EndpointSet>();
  readonly #views = new Subscriptions<UpdateStep>();

  constructor(source: EndpointSource, clusterDomain: string) {
    this.#source = source;
    this.#clusterDomain = clusterDomain;
  }

  /** Lasts until the stream ends. Throws `target_invalid`, `target_outside_cluster` or `target_is_address`. */
  async answer(request: GetDestination, out: StreamWriter<Update>): Promise<void> {
    const target = parseTarget(request.path, this.#clusterDomain);
    if (target.kind === 'address') {
      throw destinationErrors.error(
        'target_is_address',
        `expected the name of a service, got ${quoted(request.path)}; ask GetProfile for addresses`,
      );
    }
    const { zone, node } = this.#source.placeOf(parseContextToken(request.contextToken));
    let held: EndpointSet | undefined;
    await tell(this.#view(target, zone), out, (step) => {
      out.writeMade(() => {
        const seen = step.seenFrom(node);
        const updates = step.updatesFor(held, seen);
        held = seen;
        return updates;
      });
    });
  }

  /** Distinct targets and views that are subscribed to now. */
  get subscriptions(): number {
    return this.#views.size;
  }

  /** Clients in one zone share a view of a target; those who see only a part of it share that, within the view. */
  #view(target: ServiceTarget, clientZone: string | undefined): Watched<UpdateStep> {
    const name = `${qualifiedName(target, this.#clusterDomain)}:${target.port}`;
    const setLabels = { service: target.name, namespace: target.namespace };
    return this.#views.join(`${name} ${clientZone ?? ''}`, () => {
      const endpoints = this.#targets.join(name, () => this.#source.watchEndpoints(target));
      return updateFeed(endpoints, { setLabels, clientZone });
    });
  }
}

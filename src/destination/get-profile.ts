import { isDeepStrictEqual } from 'node:util';
import type { DestinationProfile, GetDestination } from '../rpc/destination-api.ts';
import type { StreamWriter } from '../rpc/stream-writer.ts';
import { parseContextToken } from './context-token.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { socketText } from '../runtime/ip-address.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Target } from './target.ts';
import { parseTarget, qualifiedName } from './target.ts';
import { tell } from './tell.ts';
import { toDestinationProfile } from './translate-profile.ts';
import type { Watched } from './watched.ts';
import { derive } from './watched.ts';

/**
 * `GetProfile`: what a name or an address stands for (contract 4.6). Connections wait for the first answer, so every
 * target that can be read gets one at once (gotcha 30), and none is left without direction: an unknown address is
 * told as itself, without identity, and an unknown service of the cluster by its full name, whose endpoints are then
 * asked for and found to be none. An empty profile, which Linkerd's server gives for a port that is not defined,
 * would send the connection to the original address in plaintext.
 */
export class GetProfile {
  readonly #source: EndpointSource;
  readonly #clusterDomain: string;
  readonly #views = new Subscriptions<DestinationProfile>();

  constructor(source: EndpointSource, clusterDomain: string) {
    this.#source = source;
    this.#clusterDomain = clusterDomain;
  }

  /** Lasts until the stream ends. Throws `target_invalid` or `target_outside_cluster`. */
  async answer(request: GetDestination, out: StreamWriter<DestinationProfile>): Promise<void> {
    const target = parseTarget(request.path, this.#clusterDomain);
    const { zone } = this.#source.placeOf(parseContextToken(request.contextToken));
    await tell(this.#view(target, zone), out, (profile) => out.write(profile));
  }

  get subscriptions(): number {
    return this.#views.size;
  }

  #view(target: Target, clientZone: string | undefined): Watched<DestinationProfile> {
    const clusterDomain = this.#clusterDomain;
    return this.#views.join(`${this.#nameOf(target)} ${clientZone ?? ''}`, () =>
      derive(
        this.#source.watchProfile(target),
        (profile) => toDestinationProfile(profile, { clusterDomain, clientZone }),
        isDeepStrictEqual,
      ),
    );
  }

  #nameOf(target: Target): string {
    if (target.kind === 'address') return socketText(target.address, target.port);
    return `${qualifiedName(target, this.#clusterDomain)}:${target.port}`;
  }
}

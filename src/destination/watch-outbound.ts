import { isDeepStrictEqual } from 'node:util';
import type { OutboundPolicy, TrafficSpec } from '../rpc/outbound-policy-api.ts';
import { fromIPAddress } from '../rpc/ip-message.ts';
import type { StreamWriter } from '../rpc/stream-writer.ts';
import { isAppError } from '../runtime/errors.ts';
import { socketText } from '../runtime/ip-address.ts';
import type { IpNetwork } from '../runtime/ip-network.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { destinationErrors } from './errors.ts';
import { outboundRoute } from './outbound-route.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Target } from './target.ts';
import { parseTarget, qualifiedName } from './target.ts';
import { tell } from './tell.ts';
import { toOutboundPolicy } from './translate-outbound.ts';
import type { Watched } from './watched.ts';
import { derive } from './watched.ts';
import { parseWorkloadName } from './workload-name.ts';

type Answer = OutboundPolicy | 'follow_profile';

/**
 * `Watch` and `Get` of OutboundPolicies: where a proxy sends what its application dials (contract 5.7). The Rust proxy
 * balances over the endpoints of a service only when told so here; without an answer it would dial the cluster
 * address in plaintext (contract 4.7).
 *
 * NOT_FOUND, the word for "follow the profile", is final for a proxy. So it is said only as the first answer: a target
 * that was a service once keeps the policy it was told last, whose balancer has then nowhere to go.
 */
export class WatchOutbound {
  readonly #source: EndpointSource;
  readonly #clusterDomain: string;
  readonly #clusterNetworks: readonly IpNetwork[];
  readonly #targets = new Subscriptions<Answer>();

  constructor(source: EndpointSource, clusterDomain: string, clusterNetworks: readonly IpNetwork[]) {
    this.#source = source;
    this.#clusterDomain = clusterDomain;
    this.#clusterNetworks = clusterNetworks;
  }

  /** Lasts until the stream ends. Throws `workload_invalid`, `target_invalid` or `target_follows_profile`. */
  async watch(request: TrafficSpec, out: StreamWriter<OutboundPolicy>): Promise<void> {
    const watched = this.#watched(request);
    try {
      await firstPolicy(watched, request, out.signal);
    } catch (error) {
      watched.close();
      if (out.signal.aborted) return;
      throw error;
    }
    await tell(watched, out, (answer) => {
      if (answer !== 'follow_profile') out.write(answer);
    });
  }

  /** The present policy. Throws as `watch` does. */
  async once(request: TrafficSpec, signal: AbortSignal): Promise<OutboundPolicy> {
    const watched = this.#watched(request);
    try {
      return await firstPolicy(watched, request, signal);
    } finally {
      watched.close();
    }
  }

  get subscriptions(): number {
    return this.#targets.size;
  }

  /** Who asks makes no difference to what is told, but must be somebody. */
  #watched(request: TrafficSpec): Watched<Answer> {
    parseWorkloadName(request.sourceWorkload);
    const target = readTarget(request, this.#clusterDomain);
    return this.#targets.join(nameOf(target, this.#clusterDomain), () =>
      derive(
        this.#source.watchProfile(target),
        (profile) =>
          toOutboundPolicy(outboundRoute(profile, this.#clusterNetworks), this.#clusterDomain) ??
          'follow_profile',
        isDeepStrictEqual,
      ),
    );
  }
}

async function firstPolicy(
  { state }: Watched<Answer>,
  request: TrafficSpec,
  signal: AbortSignal,
): Promise<OutboundPolicy> {
  const answer = await state.until((value) => value !== undefined, signal);
  if (answer !== undefined && answer !== 'follow_profile') return answer;
  const { target } = request;
  const asked = target?.$case === 'authority' ? target.value : 'the address';
  throw destinationErrors.error('target_follows_profile', `expected a service, got one endpoint at ${asked}`);
}

function readTarget({ target }: TrafficSpec, clusterDomain: string): Target {
  if (target?.$case === 'authority') return readAuthority(target.value, clusterDomain);
  const address = fromIPAddress(target?.value.ip);
  const port = target?.value.port ?? 0;
  if (address === undefined || port < 1 || port > 65535) {
    throw destinationErrors.error(
      'target_invalid',
      `expected an address with a port from 1 to 65535, or an authority, got ${address?.toString() ?? 'none'}`,
    );
  }
  return { kind: 'address', address, port };
}

/**
 * Tools leave the cluster's domain out (gotcha 53). INVALID_ARGUMENT would make a proxy fail what it connects to, so a
 * name outside of the cluster is not refused but left to the profile, which is none.
 */
function readAuthority(authority: string, clusterDomain: string): Target {
  const [, name = '', port = ''] = /^([^:]*\.svc)\.?(:.*)?$/i.exec(authority) ?? [];
  try {
    return parseTarget(name === '' ? authority : `${name}.${clusterDomain}${port}`, clusterDomain);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'target_outside_cluster') throw error;
    throw destinationErrors.error('target_follows_profile', error.message);
  }
}

function nameOf(target: Target, clusterDomain: string): string {
  if (target.kind === 'address') return socketText(target.address, target.port);
  return `${qualifiedName(target, clusterDomain)}:${target.port}`;
}

import type { IpNetwork } from '../runtime/ip-network.ts';
import type { Endpoint } from './endpoint.ts';
import type { TargetProfile } from './endpoint-source.ts';
import type { ServiceTarget } from './target.ts';

/** What becomes of a connection to a target (contract 5.7). */
export type OutboundRoute =
  /** Balanced over the endpoints of a service. */
  | { readonly kind: 'service'; readonly service: ServiceTarget; readonly opaque: boolean }
  /** Refused: the service is not there, or has no such port. */
  | { readonly kind: 'undefined_port'; readonly service: ServiceTarget }
  /** Carried to where it was meant for, outside of the cluster; a machine there may still be one of the mesh. */
  | { readonly kind: 'outside'; readonly endpoint: Endpoint }
  /** Up to the profile of the target, which names one endpoint. */
  | { readonly kind: 'endpoint' };

/** The same is asked for a profile, so both always agree. */
export function outboundRoute(profile: TargetProfile, clusterNetworks: readonly IpNetwork[]): OutboundRoute {
  if (profile.kind === 'service') {
    const { service, exists, opaque } = profile;
    return exists ? { kind: 'service', service, opaque } : { kind: 'undefined_port', service };
  }
  const { endpoint } = profile;
  const inside = clusterNetworks.some((network) => network.contains(endpoint.address.toString()));
  return inside ? { kind: 'endpoint' } : { kind: 'outside', endpoint };
}

import type { DestinationProfile, RetryBudget, WeightedAddr } from '../rpc/destination-api.ts';
import type { Endpoint } from './endpoint.ts';
import type { TargetProfile } from './endpoint-source.ts';
import { qualifiedName } from './target.ts';
import { toWeightedAddr } from './translate-endpoint.ts';

/** What an HTTP client may retry (contract 4.6); the proxy wants one in every profile. */
const retryBudget: RetryBudget = {
  retryRatio: 0.2,
  minRetriesPerSecond: 10,
  ttl: { seconds: 10n, nanos: 0 },
};

/** A profile as a proxy in `clientZone` is told of it (contract 4.6). */
export function toDestinationProfile(
  profile: TargetProfile,
  o: { readonly clusterDomain: string; readonly clientZone: string | undefined },
): DestinationProfile {
  const common = { routes: [], retryBudget, dstOverrides: [] };
  if (profile.kind === 'endpoint') {
    const endpoint = toEndpoint(profile.endpoint, o.clientZone);
    return { ...common, opaqueProtocol: profile.endpoint.opaque, fullyQualifiedName: '', endpoint };
  }
  const { service, opaque, exists } = profile;
  const fullyQualifiedName = qualifiedName(service, o.clusterDomain);
  const base = { ...common, opaqueProtocol: opaque, fullyQualifiedName };
  if (!exists) return base;
  const { name, namespace, port } = service;
  const resource = { group: 'core', kind: 'Service', name, namespace, section: '', port };
  return { ...base, parentRef: { kind: { $case: 'resource', value: resource } } };
}

/** In a set the namespace is a label of the whole; here there is no whole. */
function toEndpoint(endpoint: Endpoint, clientZone: string | undefined): WeightedAddr {
  const { namespace, labels } = endpoint;
  const named = namespace === undefined ? endpoint : { ...endpoint, labels: { ...labels, namespace } };
  return toWeightedAddr(named, clientZone);
}

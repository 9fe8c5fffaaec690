import type { ClientContext } from './context-token.ts';
import type { Endpoint } from './endpoint.ts';
import type { ClientPlace, EndpointSet } from './endpoint-set.ts';
import type { ServiceTarget, Target } from './target.ts';
import type { Watched } from './watched.ts';

/** What stands behind a target: a service, which has endpoints of its own to ask for, or one endpoint. */
export type TargetProfile =
  | {
      readonly kind: 'service';
      readonly service: ServiceTarget;
      readonly exists: boolean;
      readonly opaque: boolean;
    }
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint };

/**
 * Where services and endpoints come from: a file here, Kubernetes elsewhere. Every watch has a state at once or as
 * soon as the source has loaded, and none of them fails: a target that is not known has a state that says so.
 */
export interface EndpointSource {
  watchEndpoints(target: ServiceTarget): Watched<EndpointSet>;
  watchProfile(target: Target): Watched<TargetProfile>;
  /** Where the proxy that asks is, as far as it can be told from what the proxy says of itself. */
  placeOf(client: ClientContext): ClientPlace;
}

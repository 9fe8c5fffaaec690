import type { Collection } from '../../../kube/collection.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import { RefusalLog } from '../../../runtime/refusal-log.ts';
import { routeProblems } from './route-rules.ts';
import { annotationProblems, portProblems } from './workload-defaults.ts';
import type { ClusterCollections } from '../cluster.ts';
import type { PolicyCollections } from './policy-objects.ts';

export interface TellNeeds {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** What carries annotations about policy, or about ports. */
type Annotated = Pick<ClusterCollections, 'pods' | 'externalWorkloads' | 'namespaces' | 'services'>;

/** By kind and key, what is wrong with an object. Kept only for as long as something is. */
type Unreadable = Map<string, Map<string, string>>;

/**
 * Tells of every object of policy that cannot be read as it was meant: once in the log for each thing that is wrong,
 * and in a metric for as long as it is. Policy that cannot be read lets nobody in, and ports are passed over, which
 * their author is not to find out alone.
 */
export function tellUnreadable(
  collections: PolicyCollections & Annotated,
  { log, clock, metrics }: TellNeeds,
): void {
  const unreadable: Unreadable = new Map();
  declareUnreadable(metrics, unreadable);
  const message = 'policy that cannot be read lets nobody in, ports that cannot be read are passed over';
  const refusals = new RefusalLog(log, clock, message);
  const follow = <T>(
    kind: string,
    collection: Collection<T>,
    problemsOf: (object: T) => readonly string[],
  ) => {
    const known = new Map<string, string>();
    unreadable.set(kind, known);
    const take = (key: string, object: T | undefined) => {
      const problem = object === undefined ? '' : problemsOf(object).join('; ');
      if (problem === (known.get(key) ?? '')) return;
      if (problem === '') known.delete(key);
      else {
        known.set(key, problem);
        refusals.tell({ code: kind, object: key, problem });
      }
    };
    for (const [key, object] of collection.entries()) take(key, object);
    collection.subscribe((changes) => {
      for (const { key, after } of changes) take(key, after);
    });
  };
  const problems = (object: { readonly problems: readonly string[] }) => object.problems;
  follow('Server', collections.servers, problems);
  follow('AuthorizationPolicy', collections.authorizationPolicies, problems);
  follow('ServerAuthorization', collections.serverAuthorizations, problems);
  follow('MeshTLSAuthentication', collections.meshAuthentications, problems);
  follow('NetworkAuthentication', collections.networkAuthentications, problems);
  follow('HTTPRoute', collections.routes, routeProblems);
  follow('HTTPRoute.gateway.networking.k8s.io', collections.gatewayHttpRoutes, routeProblems);
  follow('GRPCRoute.gateway.networking.k8s.io', collections.gatewayGrpcRoutes, routeProblems);
  follow('Pod', collections.pods, annotationProblems);
  follow('ExternalWorkload', collections.externalWorkloads, annotationProblems);
  follow('Namespace', collections.namespaces, annotationProblems);
  follow('Service', collections.services, (service) => portProblems(service, ['opaque-ports']));
}

/** Declared by itself, as docs/metrics.md lists it. */
export function declareUnreadable(metrics: Metrics, unreadable: Unreadable): void {
  metrics.gauge(
    'kedge_destination_policy_unreadable_objects',
    'Objects of policy, and annotations about it or about ports, that cannot be read as they were meant. Policy lets nobody in then, ports are passed over.',
    ['kind'],
    (gauge) => {
      for (const [kind, objects] of unreadable) gauge.set({ kind }, objects.size);
    },
  );
}

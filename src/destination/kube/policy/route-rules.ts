import type { KubeObject } from '../../../kube/kube-object.ts';
import type { Resource } from '../../../kube/resource.ts';
import { parentsOf } from './route-parents.ts';
import { withRouteStatus } from './route-status.ts';

/** What is kept of a route. */
export interface RouteRules {
  readonly namespace: string;
  /** The Servers of its namespace that it is attached to, by name. */
  readonly servers: readonly string[];
  /** What its status is not right in; undefined: its status is right. */
  readonly wrong: WrongStatus | undefined;
}

/** The object of which the status is not right: another version of it is to be looked at anew. */
export interface WrongStatus {
  /** Of the API, in which it can be written. */
  readonly version: string;
  readonly resourceVersion: string | undefined;
}

/** Nothing is kept of a route that is attached to no Server and has the status that it is to have. */
export function routeProjection({ group, version }: Resource) {
  return (source: KubeObject): RouteRules | undefined => {
    const { namespace = '', resourceVersion } = source.metadata;
    const own = parentsOf(source, group).filter(
      (each) => each.kind === 'server' && each.namespace === namespace,
    );
    const servers = [...new Set(own.map(({ name }) => name))];
    const served = source.apiVersion?.split('/')[1] ?? version;
    const isRight = withRouteStatus(source, group, new Date(0)) === undefined;
    const wrong = isRight ? undefined : { version: served, resourceVersion };
    return servers.length === 0 && isRight ? undefined : { namespace, servers, wrong };
  };
}

/** Why nobody is let in where a route is attached, as it is told. */
export function routeProblems({ servers }: RouteRules): string[] {
  if (servers.length === 0) return [];
  return [
    `expected no rules about requests, as Kedge looks at connections; nobody is let in by the Servers they are for: ${servers.join(', ')}`,
  ];
}

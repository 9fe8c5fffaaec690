import type { KubeObject } from '../../../kube/kube-object.ts';
import { readReference } from './clients.ts';
import { specOf } from '../fields.ts';

/** What is kept of an HTTPRoute: the Servers of its namespace that it is attached to, by name. */
export interface RouteRules {
  readonly namespace: string;
  readonly servers: readonly string[];
}

/** Nothing is kept of a route that is attached to no Server. */
export function projectRoute(source: KubeObject): RouteRules | undefined {
  const { namespace = '' } = source.metadata;
  const { parentRefs } = specOf(source);
  const parents: readonly unknown[] = Array.isArray(parentRefs) ? parentRefs : [];
  const servers = parents.map(readReference).flatMap((parent) => {
    const isServer = parent.group === 'policy.linkerd.io' && parent.kind === 'server';
    const own = (parent.namespace ?? namespace) === namespace;
    return isServer && own && typeof parent.name === 'string' ? [parent.name] : [];
  });
  return servers.length === 0 ? undefined : { namespace, servers };
}

/** Why nobody is let in where a route is attached, as it is told. */
export function routeProblems({ servers }: RouteRules): string[] {
  return [
    `expected no HTTP rules, as Kedge looks at connections; nobody is let in by the Servers they are for: ${servers.join(', ')}`,
  ];
}

import type { KubeObject } from '../../../kube/kube-object.ts';
import type { Fields } from '../fields.ts';
import { fieldsOf, specOf } from '../fields.ts';
import { readReference } from './clients.ts';

/** Of Servers, and of the routes that Linkerd brings. */
export const policyGroup = 'policy.linkerd.io';

/** The fields of a parent reference that every definition of routes knows. */
export interface ParentReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
  readonly port?: number;
}

/** What a route is attached to, and Kedge cannot honour it for. */
export interface RouteParent {
  readonly kind: 'server' | 'service';
  readonly namespace: string;
  readonly name: string;
  /** As the route has it. */
  readonly reference: ParentReference;
}

/**
 * The Servers that a route of this group is attached to, and the Services if it is one that Linkerd brings; routes of the
 * Gateway API for Services are other controllers' business. A group that is left out is the route's own.
 */
export function parentsOf(route: KubeObject, group: string): RouteParent[] {
  const { parentRefs } = specOf(route);
  const references: readonly unknown[] = Array.isArray(parentRefs) ? parentRefs : [];
  return references.flatMap((value) => {
    const fields = { ...fieldsOf(value), group: fieldsOf(value)['group'] ?? group };
    const { name, namespace } = readReference(fields);
    const place = namespace === undefined || namespace === '' ? (route.metadata.namespace ?? '') : namespace;
    const kind = kindOf(fields, group);
    if (kind === undefined || typeof name !== 'string' || name === '' || typeof place !== 'string') return [];
    return [{ kind, namespace: place, name, reference: referenceOf(fields, name) }];
  });
}

function kindOf(fields: Fields, routeGroup: string): RouteParent['kind'] | undefined {
  const { group, kind } = readReference(fields);
  if (group === policyGroup && kind === 'server') return 'server';
  return group === '' && kind === 'service' && routeGroup === policyGroup ? 'service' : undefined;
}

function referenceOf({ group, kind, namespace, sectionName, port }: Fields, name: string): ParentReference {
  return {
    group: String(group),
    kind: String(kind),
    name,
    ...(typeof namespace === 'string' && { namespace }),
    ...(typeof sectionName === 'string' && { sectionName }),
    ...(typeof port === 'number' && { port }),
  };
}

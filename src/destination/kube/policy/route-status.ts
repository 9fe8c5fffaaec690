import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../kube/kube-object.ts';
import type { Fields } from '../fields.ts';
import { fieldsOf } from '../fields.ts';
import { readReference } from './clients.ts';
import type { ParentReference, RouteParent } from './route-parents.ts';
import { parentsOf } from './route-parents.ts';

/** Who writes it, as the Gateway API names controllers. */
export const controllerName = 'kedge.io/destination';
const linkerdsName = 'linkerd.io/policy-controller';
/** As many as every definition of routes takes. */
const maxEntries = 32;

/** What an entry of `status.parents` says; `message` and the time are for people. */
interface Verdict {
  readonly parentRef: ParentReference;
  readonly reason: 'UnsupportedValue' | 'NoMatchingParent';
  readonly message: string;
}

/**
 * The route with the status that it is to have: for each parent that Kedge cannot honour it for an entry of its own, but
 * none where Linkerd's controller has one; entries of others are left as they are. Undefined: it is right. A message of
 * other words is right as well, or two versions of Kedge beside each other would write over one another for ever.
 */
export function withRouteStatus<T extends KubeObject>(route: T, group: string, now: Date): T | undefined {
  const status = fieldsOf((route as T & { readonly status?: unknown }).status);
  const entries: readonly unknown[] = Array.isArray(status['parents']) ? status['parents'] : [];
  const ours = entries.filter((entry) => fieldsOf(entry)['controllerName'] === controllerName);
  const others = entries.filter((entry) => !ours.includes(entry));
  const verdicts = verdictsOf(route, group)
    .filter(({ told }) => !others.some((entry) => isLinkerds(entry, told, route)))
    .slice(0, Math.max(maxEntries - others.length, 0))
    .map(({ verdict }) => verdict);
  const { generation } = route.metadata;
  const right = (verdict: Verdict, i: number) =>
    isDeepStrictEqual(bare(entryOf(verdict, generation, '')), bare(ours[i]));
  if (verdicts.length === ours.length && verdicts.every(right)) return undefined;
  const written = verdicts.map((verdict) =>
    entryOf(verdict, generation, sinceOf(verdict, ours) ?? timeOf(now)),
  );
  return { ...route, status: { ...status, parents: [...others, ...written] } };
}

/** Each reference once, however often a route has it. */
function verdictsOf(route: KubeObject, group: string) {
  const parents = parentsOf(route, group).map((told) => [JSON.stringify(told.reference), told] as const);
  return [...new Map(parents).values()].map((told) => ({ told, verdict: verdictOn(told, route) }));
}

function verdictOn({ kind, namespace, name, reference: parentRef }: RouteParent, route: KubeObject): Verdict {
  const parent = `${namespace}/${name}`;
  if (kind === 'service') {
    const message = `Kedge looks at connections, not at requests: this route changes nothing about the traffic of the Service ${parent}, and denies none of it.`;
    return { parentRef, reason: 'UnsupportedValue', message };
  }
  if (namespace !== route.metadata.namespace) {
    const message = `A route can be attached to Servers of its own namespace only: this one has no effect on the Server ${parent}.`;
    return { parentRef, reason: 'NoMatchingParent', message };
  }
  const message = `Kedge looks at connections, not at requests: as long as this route is attached to the Server ${parent}, nobody is let in at its port. Remove the route, and say in an AuthorizationPolicy for the Server who may connect.`;
  return { parentRef, reason: 'UnsupportedValue', message };
}

function entryOf({ parentRef, reason, message }: Verdict, generation: number | undefined, since: string) {
  const condition = {
    type: 'Accepted',
    status: 'False',
    reason,
    message,
    lastTransitionTime: since,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return { controllerName, parentRef, conditions: [condition] };
}

/** An entry without what two that say the same may differ in. */
function bare(entry: unknown): unknown {
  const { conditions, ...rest } = fieldsOf(entry);
  const list: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  const plain = list.map((condition) => ({ ...fieldsOf(condition), lastTransitionTime: '', message: '' }));
  return { ...rest, conditions: plain };
}

/** Since when it has been said of this parent that it is not accepted. */
function sinceOf({ parentRef }: Verdict, ours: readonly unknown[]): string | undefined {
  const before = ours.map(fieldsOf).find((entry) => isDeepStrictEqual(entry['parentRef'], parentRef));
  const conditions: readonly unknown[] = Array.isArray(before?.['conditions']) ? before['conditions'] : [];
  const refused = ({ type, status }: Fields) => type === 'Accepted' && status === 'False';
  const since = conditions.map(fieldsOf).find(refused)?.['lastTransitionTime'];
  return typeof since === 'string' ? since : undefined;
}

/** Linkerd's controller writes the namespace always, and of Servers the group of the route. */
function isLinkerds(entry: unknown, { kind, namespace, name }: RouteParent, route: KubeObject): boolean {
  const { controllerName: author, parentRef } = fieldsOf(entry);
  if (author !== linkerdsName) return false;
  const its = readReference(parentRef);
  return its.kind === kind && its.name === name && (its.namespace ?? route.metadata.namespace) === namespace;
}

/** To the second, as the API has times. */
function timeOf(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, 'Z');
}

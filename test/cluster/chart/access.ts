import type { AuditEvent } from '../audit-event.ts';
import type { Rendered } from '../../helm/rendered-chart.ts';

/** A right, where what is left out stands for all; or a call, which has everything that its kind of object has. */
export interface Access {
  readonly verb: string;
  /** `secrets`, `endpointslices.discovery.k8s.io`, `pods/status`, or the path of what is no object. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface Call extends Access {
  readonly code: number;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly name: string }[];
}

/** The ServiceAccounts that the chart makes, by their names. */
export function accountsOf(objects: readonly Rendered[]): string[] {
  return objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
}

/** Every single right that the chart gives to a ServiceAccount of its own: each verb, each resource, each name. */
export function rightsOf(objects: readonly Rendered[], serviceAccount: string): Access[] {
  const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding'));
  return bindings.flatMap((binding) => {
    const { roleRef, subjects } = binding as Rendered & Binding;
    if (!subjects.some(({ name }) => name === serviceAccount)) return [];
    const role = objects.find(
      ({ kind, metadata }) => kind === roleRef.kind && metadata.name === roleRef.name,
    );
    const { namespace } = binding.metadata;
    const place = namespace === undefined ? {} : { namespace };
    return ((role?.['rules'] ?? []) as readonly Rule[])
      .flatMap(rightsOfRule)
      .map((right) => ({ ...right, ...place }));
  });
}

function rightsOfRule({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames,
  nonResourceURLs = [],
}: Rule): Access[] {
  const things = [
    ...apiGroups.flatMap((group) => resources.map((resource) => resourceName(group, resource))),
    ...nonResourceURLs,
  ];
  const names = resourceNames?.map((name) => ({ name })) ?? [{}];
  return things.flatMap((resource) =>
    verbs.flatMap((verb) => names.map((name) => ({ verb, resource, ...name }))),
  );
}

/** Every different call that a ServiceAccount has made. */
export function callsOf(events: readonly AuditEvent[], namespace: string, serviceAccount: string): Call[] {
  const username = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const calls = events.filter(({ user }) => user.username === username).flatMap(callsOfEvent);
  return [...new Map(calls.map((call) => [JSON.stringify(call), call])).values()];
}

function callsOfEvent({ verb, requestURI, objectRef, responseStatus }: AuditEvent): Call[] {
  const code = responseStatus?.code ?? 0;
  const { resource, subresource, apiGroup = '', namespace, name } = objectRef ?? {};
  if (resource === undefined) return [{ verb, resource: requestURI.split('?')[0] ?? '', code }];
  const call: Call = {
    verb,
    resource: resourceName(apiGroup, subresource === undefined ? resource : `${resource}/${subresource}`),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    code,
  };
  // Server-side apply of what was not there: the API server asks for the right to create as well.
  return verb === 'patch' && code === 201 ? [call, { ...call, verb: 'create' }] : [call];
}

/** Whether a right is one to make this call. */
export function covers(right: Access, call: Access): boolean {
  const holds = (given: string | undefined, asked: string | undefined): boolean =>
    given === undefined || given === asked;
  const { verb, resource, namespace, name } = right;
  return (
    verb === call.verb &&
    resource === call.resource &&
    holds(namespace, call.namespace) &&
    holds(name, call.name)
  );
}

function resourceName(group: string, resource: string): string {
  return group === '' ? resource : `${resource}.${group}`;
}

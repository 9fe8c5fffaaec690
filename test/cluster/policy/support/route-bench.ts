import type { PortPolicy } from '../../../../src/destination/policy-source.ts';
import type { Watched } from '../../../../src/destination/watched.ts';
import { told } from '../../../destination/kube/policy/support/policy-cluster.ts';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { FollowedPolicies } from './follow-policies.ts';
import { pod, server } from './objects.ts';

export const policyGroup = 'policy.linkerd.io';
export const serverRef = { group: policyGroup, kind: 'Server', name: 'web' };
/** Who writes the status. */
export const ours = 'kedge.io/destination';
/** Who looked for a kind in vain looks again within a minute. */
const withinMs = 90_000;

/** What a Server that lets everybody in does, without a route and with one. */
export const open = 'server web detect; default all-unauthenticated: anyone from everywhere';
export const closed = 'server web detect';

/** An entry of `status.parents`. */
export interface Entry {
  readonly controllerName: string;
  readonly parentRef: object;
  readonly conditions: readonly Readonly<Record<string, unknown>>[];
}

/** A kind of route, and the version of it that is spoken. */
export interface RouteKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Routes called `r` of one kind in a cluster. */
export class RouteBench {
  readonly #cluster: TestCluster;
  readonly #kind: RouteKind;

  constructor(
    cluster: TestCluster,
    kind: RouteKind = { group: policyGroup, version: 'v1beta3', kind: 'HTTPRoute' },
  ) {
    this.#cluster = cluster;
    this.#kind = kind;
  }

  /** A new namespace with a pod and a Server that lets everybody in. */
  async guarded(namespace: string): Promise<string> {
    await this.#cluster.createNamespace(namespace);
    await this.#apply(namespace, pod, server({ accessPolicy: 'all-unauthenticated' }));
    return namespace;
  }

  attach(namespace: string, parentRefs: readonly object[] = [serverRef], name = 'r'): Promise<string> {
    const { group, version, kind } = this.#kind;
    const spec = { parentRefs, rules: [{}] };
    return this.#apply(namespace, { apiVersion: `${group}/${version}`, kind, metadata: { name }, spec });
  }

  path(namespace: string, name = 'r'): string {
    const { group, version, kind } = this.#kind;
    return `/apis/${group}/${version}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
  }

  async entries(namespace: string, name?: string): Promise<readonly Entry[]> {
    const { status } = await this.#cluster.expect<{ readonly status?: { readonly parents?: Entry[] } }>(
      this.path(namespace, name),
    );
    return status?.parents ?? [];
  }

  /** Writes the status as another controller does, or somebody by hand. */
  write(namespace: string, parents: readonly object[]): Promise<unknown> {
    return this.#cluster.expect(`${this.path(namespace)}/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { parents } },
    });
  }

  /** Waits until the entries of the status are by these, in this order. */
  async isToldBy(namespace: string, writers: readonly string[], name?: string): Promise<void> {
    await eventually(async () => {
      const entries = await this.entries(namespace, name);
      expect(entries.map(({ controllerName }) => controllerName)).toEqual(writers);
    }, withinMs);
  }

  #apply(namespace: string, ...items: object[]): Promise<string> {
    return this.#cluster.kubectl(['apply', '-n', namespace, '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
  }
}

export function becomes(watched: Watched<PortPolicy>, expected: string): Promise<void> {
  return eventually(() => expect(told(watched.state.value)).toBe(expected), withinMs);
}

/** Statuses that could not be written, as they were told. */
export function refusals({ log }: FollowedPolicies): Readonly<Record<string, unknown>>[] {
  return log.withMessage('the status of a route could not be written').map(({ fields }) => fields);
}

import type { ServiceAccountName } from '../api-tokens.ts';
import type { TestCluster } from '../test-cluster.ts';

export interface AskedAccess {
  readonly verb: string;
  /** With its subresource: `serviceaccounts/token`. */
  readonly resource: string;
  /** The core one unless told. */
  readonly group?: string;
  /** Every namespace unless told. */
  readonly namespace?: string;
  /** Any object unless told. */
  readonly name?: string;
}

/** What the API server says of a ServiceAccount's rights (SubjectAccessReview). */
export async function mayDo(
  cluster: TestCluster,
  { namespace, name }: ServiceAccountName,
  { resource: named, ...asked }: AskedAccess,
): Promise<boolean> {
  const [resource, subresource] = named.split('/');
  const { status } = await cluster.expect<{ readonly status: { readonly allowed: boolean } }>(
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      method: 'POST',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${namespace}:${name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
          resourceAttributes: { ...asked, resource, subresource },
        },
      },
    },
  );
  return status.allowed;
}

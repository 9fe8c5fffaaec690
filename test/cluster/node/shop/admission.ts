import { shopNamespace } from './shop.ts';

const group = 'policy.linkerd.io';
const named = (name: string) => ({ namespace: shopNamespace, name });

/** What the rule is called that lets clients in at `api`. */
export const ruleName = 'api-clients';

/** A Server at `api`, which takes the place of the default policy, and who is let in there. */
export function admission(identities: readonly string[]): object {
  const items = [
    {
      apiVersion: `${group}/v1beta3`,
      kind: 'Server',
      metadata: named('api'),
      spec: { podSelector: { matchLabels: { app: 'api' } }, port: 'http' },
    },
    {
      apiVersion: `${group}/v1alpha1`,
      kind: 'AuthorizationPolicy',
      metadata: named(ruleName),
      spec: {
        targetRef: { group, kind: 'Server', name: 'api' },
        requiredAuthenticationRefs: [{ group, kind: 'MeshTLSAuthentication', name: 'api-clients' }],
      },
    },
    {
      apiVersion: `${group}/v1alpha1`,
      kind: 'MeshTLSAuthentication',
      metadata: named('api-clients'),
      spec: { identities },
    },
  ];
  return { apiVersion: 'v1', kind: 'List', items };
}

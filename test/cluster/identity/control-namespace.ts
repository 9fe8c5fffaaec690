import { identitySettings } from '../../../src/identity/settings.ts';
import { rightsNeeded } from '../../../src/identity/cluster/rights.ts';
import type { Right } from '../../../src/identity/cluster/access-check.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import type { TestCluster } from '../test-cluster.ts';

export const account = { namespace: 'kedge', name: 'kedge-identity' };

export const settings = {
  KEDGE_TOKEN_VERIFIER: 'token-review',
  KEDGE_ISSUER_LOCAL_SECRET: 'kedge-issuer',
  KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle',
  KEDGE_ISSUER_BOOTSTRAP: 'true',
  KEDGE_WEBHOOK_CERTIFICATE_SECRET: 'kedge-webhook',
};

/** Fills the namespace: a ServiceAccount with exactly the rights that identity says it needs, whose kubeconfig it gives. */
export async function controlNamespace(cluster: TestCluster): Promise<string> {
  const metadata = { namespace: 'kedge' };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, name: 'kedge-identity' } },
    ...['kedge-issuer', 'kedge-trust-anchor'].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name } },
    })),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'kedge-trust-bundle' } },
    ...access(),
  ];
  await cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
  return cluster.kubeconfigAs(account);
}

/** One role for the whole cluster and one for each namespace that rights are needed in, and nothing else; all of one name. */
export function access(
  without: (right: Right) => boolean = () => false,
  given: Readonly<Record<string, string>> = settings,
  name = 'kedge-identity',
): object[] {
  const rights = rightsNeeded(readEnvironment(identitySettings, given)).filter((right) => !without(right));
  const wide = rights.filter(({ namespace }) => namespace === undefined);
  const namespaces = new Set(rights.flatMap(({ namespace = [] }) => namespace));
  return [
    ...role('ClusterRole', { name }, wide),
    ...[...namespaces].flatMap((namespace) =>
      role(
        'Role',
        { name, namespace },
        rights.filter((right) => right.namespace === namespace),
      ),
    ),
  ];
}

function role(
  kind: 'Role' | 'ClusterRole',
  metadata: { readonly name: string; readonly namespace?: string },
  rights: readonly Right[],
): object[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = rights.map(({ verb, resource, name }) => ({
    apiGroups: [resource.group],
    resources: [resource.plural],
    verbs: [verb],
    ...(name !== undefined && { resourceNames: [name] }),
  }));
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name };
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects },
  ];
}

import type { TestCluster } from '../../../cluster/test-cluster.ts';
import type { VaultAdmin } from './vault-server.ts';

const reviewer = { namespace: 'vault', name: 'vault' };

/** Enables Kubernetes auth against the API server of a cluster, where the namespace `vault` has to be there; without a role. */
export async function enableKubernetesLogin(server: VaultAdmin, cluster: TestCluster): Promise<void> {
  await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(reviewerObjects) });
  await server.expect('sys/auth/kubernetes', { body: { type: 'kubernetes' } });
  await server.expect('auth/kubernetes/config', {
    body: {
      kubernetes_host: cluster.server,
      kubernetes_ca_cert: cluster.ca,
      token_reviewer_jwt: await cluster.token(reviewer),
    },
  });
}

/** Makes the role `kedge` with the policy `kedge`, for the identity service in a namespace. */
export async function setKubernetesRole(server: VaultAdmin, namespace: string): Promise<void> {
  await server.expect('auth/kubernetes/role/kedge', {
    body: {
      bound_service_account_names: ['kedge-identity'],
      bound_service_account_namespaces: [namespace],
      audience: 'vault',
      token_policies: ['kedge'],
      token_ttl: '1h',
    },
  });
}

/** As whom the server asks Kubernetes whose a token is. */
const reviewerObjects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: reviewer },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'vault-token-reviews' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', ...reviewer }],
    },
  ],
};

import type { MeshStatus } from '../../../../src/cli/issuer/merge-status.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace } from '../install-kedge.ts';
import { kedge } from './kedge.ts';

const operator = { namespace: controlNamespace, name: 'operator' };

/** Somebody who may do what `kedge issuer status` is documented to need, and nothing else. */
export async function createOperator(cluster: TestCluster): Promise<void> {
  await cluster.kubectl(['create', '--filename=-'], { input: JSON.stringify(operatorObjects) });
}

/** What `kedge issuer status` says to the operator; rejects where it ends with another code than 0. */
export async function issuerStatus(cluster: TestCluster): Promise<MeshStatus> {
  const kubeconfig = await cluster.kubeconfigAs(operator);
  const printed = await kedge(['issuer', 'status', '--kubeconfig', kubeconfig, '--output', 'json']);
  return JSON.parse(printed) as MeshStatus;
}

const operatorObjects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: operator },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: operator,
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
        { apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: operator,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: operator.name },
      subjects: [{ kind: 'ServiceAccount', ...operator }],
    },
  ],
};

import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';

/** Has the API server answer the default account with 429 and Retry-After whenever one call of it is under way. */
export function oneCallAtOnceFor(namespace: string): object {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  const metadata = { name: namespace };
  const limited = {
    nominalConcurrencyShares: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Reject' },
  };
  const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true };
  const who = { kind: 'ServiceAccount', serviceAccount: { namespace, name: 'default' } };
  const flow = {
    priorityLevelConfiguration: { name: namespace },
    matchingPrecedence: 2,
    rules: [{ subjects: [who], resourceRules: [all] }],
  };
  const level = { apiVersion, kind: 'PriorityLevelConfiguration', metadata };
  const items = [
    { ...level, spec: { type: 'Limited', limited } },
    { apiVersion, kind: 'FlowSchema', metadata, spec: flow },
  ];
  return { apiVersion: 'v1', kind: 'List', items };
}

/** A call of the default account whose body never comes; it is under way when others are throttled. */
export async function unendingCall(cluster: TestCluster, namespace: string): Promise<ClientRequest> {
  const token = await cluster.token({ namespace, name: 'default' });
  const url = `${cluster.server}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': 9,
  };
  const call = request(url, { method: 'POST', headers, ca: cluster.ca });
  call.on('error', () => undefined).flushHeaders();
  await eventually(async () => {
    const { status, headers: got } = await cluster.call(`/api/v1/namespaces/${namespace}/configmaps`, {
      token,
    });
    expect([status, got['retry-after']]).toEqual([429, '1']);
  });
  return call;
}

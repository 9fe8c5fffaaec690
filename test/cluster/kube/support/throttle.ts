import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';

export interface Throttle {
  end(): void;
}

/**
 * Has the API server answer each further call of the default account with 429 and Retry-After, until the end: one call is
 * let in, whose body never comes.
 */
export async function throttle(cluster: TestCluster, namespace: string): Promise<Throttle> {
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(oneCallAtOnceFor(namespace)) });
  const token = await cluster.token({ namespace, name: 'default' });
  const ask = () => cluster.call(`/api/v1/namespaces/${namespace}/configmaps`, { token });
  const flow = await cluster.expect<{ metadata: { uid: string } }>(
    `/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/${namespace}`,
  );
  await eventually(async () =>
    expect((await ask()).headers['x-kubernetes-pf-flowschema-uid']).toBe(flow.metadata.uid),
  );
  const holder = new Holder(cluster, token);
  await eventually(async () => {
    await holder.tryToHold();
    const { status, headers } = await ask();
    // Whatever this side believes, the place is free.
    if (status !== 429) holder.end();
    expect(headers).toMatchObject({ 'retry-after': expect.stringMatching(/^\d+$/) as string });
    expect(status).toBe(429);
    expect(holder.holds).toBe(true);
  });
  return holder;
}

/** The one call that is let in: it is made anew where it was itself turned away, for a call before it ended late. */
class Holder implements Throttle {
  readonly #cluster: TestCluster;
  readonly #token: string;
  #call: ClientRequest | undefined;

  constructor(cluster: TestCluster, token: string) {
    this.#cluster = cluster;
    this.#token = token;
  }

  get holds(): boolean {
    return this.#call?.destroyed === false;
  }

  async tryToHold(): Promise<void> {
    if (this.holds) return;
    const url = `${this.#cluster.server}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
    const headers = {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/json',
      'content-length': 9,
    };
    const call = request(url, { method: 'POST', headers, ca: this.#cluster.ca });
    call.on('error', () => undefined).on('response', () => call.destroy());
    call.flushHeaders();
    this.#call = call;
    await once(call, 'socket');
  }

  end(): void {
    this.#call?.destroy();
  }
}

/** To let in one call of the default account at a time. */
function oneCallAtOnceFor(namespace: string): object {
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

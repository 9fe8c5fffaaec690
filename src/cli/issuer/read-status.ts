import { get } from 'node:http';
import { issuerPage, type IssuerStatus } from '../../identity/issuer-status.ts';
import { connectKube } from '../../kube/connect-kube.ts';
import type { HttpKubeClient } from '../../kube/http-kube-client.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { pathOf } from '../../kube/resource.ts';
import { pods } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { createLog } from '../../runtime/log.ts';
import { Metrics } from '../../runtime/metrics.ts';
import { formatSocketAddress, type SocketAddress } from '../../runtime/socket-address.ts';
import { cliErrors } from '../errors.ts';

/** One replica of the identity service, and what it says, or why it says nothing. */
export interface ReplicaStatus {
  readonly replica: string;
  readonly status?: IssuerStatus;
  readonly problem?: string;
}

export interface InCluster {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly clock: Clock;
}

const timeoutMs = 5_000;
const adminPort = 9990;
const labelSelector = 'app.kubernetes.io/name=kedge,app.kubernetes.io/component=identity';

/** Asks the admin servers at these addresses. */
export function readFromAddresses(addresses: readonly SocketAddress[]): Promise<ReplicaStatus[]> {
  return Promise.all(addresses.map((address) => ask(formatSocketAddress(address), () => fetchPage(address))));
}

/**
 * Asks every replica in the cluster, through the API server.
 *
 * @throws AppError of `kubeErrors`, or `replicas_missing`
 */
export async function readFromCluster({ kubeconfig, namespace, clock }: InCluster): Promise<ReplicaStatus[]> {
  const client = await connectKube(
    { kubeconfig, kubeServiceHost: undefined, kubeServicePort: 443 },
    { name: 'kedge-cli', log: createLog({ name: 'kedge', level: 'error' }), clock, metrics: new Metrics() },
  );
  const signal = AbortSignal.timeout(4 * timeoutMs);
  const { items } = await client.list<KubeObject>(pods, { namespace }, { labelSelector }, signal);
  const names = items.map(({ metadata }) => metadata.name);
  if (names.length > 0) return Promise.all(names.map((name) => readPod(client, namespace, name, signal)));
  const message = `expected pods of the identity service (${labelSelector}) in ${namespace}, got none`;
  throw cliErrors.error('replicas_missing', message);
}

function readPod(
  client: HttpKubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ReplicaStatus> {
  const place = { namespace, name: `${name}:${adminPort}`, subresource: `proxy${issuerPage}` };
  return ask(name, () => client.readPath(pathOf(pods, place), signal));
}

async function ask(replica: string, read: () => Promise<string>): Promise<ReplicaStatus> {
  try {
    return { replica, status: parse(await read()) };
  } catch (error) {
    return { replica, problem: errorMessage(error) };
  }
}

function parse(text: string): IssuerStatus {
  const value = JSON.parse(text) as Partial<IssuerStatus> | null;
  if (value?.issuer !== undefined && value.workloads !== undefined && Array.isArray(value.expiries)) {
    return value as IssuerStatus;
  }
  throw new Error('expected the status of an issuer, got something else');
}

function fetchPage({ host, port }: SocketAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get({ host, port, path: issuerPage, signal }, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (part: string) => {
        body += part;
      });
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`expected 200 for ${issuerPage}, got ${response.statusCode ?? 'nothing'}`));
      });
    });
    request.once('error', reject);
  });
}

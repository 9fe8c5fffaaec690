import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { Resource } from '../../kube/resource.ts';
import { selfSubjectAccessReviews } from '../../kube/resources.ts';
import { retry } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { identityErrors } from '../errors.ts';

/** One thing that this process must be allowed to do. */
export interface Right {
  readonly verb: string;
  readonly resource: Resource;
  /** All namespaces unless given. */
  readonly namespace?: string;
  /** Objects of every name unless given. */
  readonly name?: string;
}

/** How often it is asked again while something is missing; rights are given by hand or by a chart. */
const retryPolicy = { minMs: 2_000, maxMs: 30_000 };

export interface AccessOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Told why it still waits. */
  readonly waiting: (reason: string) => void;
}

/** Resolves when this process has all of these rights; says which are missing until then. */
export function awaitAccess(
  rights: readonly Right[],
  { client, clock, log, waiting }: AccessOptions,
  signal: AbortSignal,
): Promise<void> {
  let told: string | undefined;
  return retry((either) => checkAccess(rights, client, either), {
    policy: retryPolicy,
    clock,
    signal,
    onFailure: (error) => {
      const reason = errorMessage(error);
      waiting(reason);
      if (reason === told) return;
      told = reason;
      log.error({ reason }, 'waiting for access to the API server');
    },
  });
}

/** Rejects with `access_missing`, or as the client does. */
export async function checkAccess(
  rights: readonly Right[],
  client: KubeClient,
  signal: AbortSignal,
): Promise<void> {
  const allowed = await Promise.all(rights.map((right) => isAllowed(right, client, signal)));
  const missing = rights.filter((_, at) => allowed[at] !== true);
  if (missing.length === 0) return;
  const message = `expected the right to ${missing.map(describe).join(', to ')}, found it is not given`;
  throw identityErrors.error('access_missing', message);
}

interface AccessReview extends KubeObject {
  readonly status?: { readonly allowed?: boolean };
}

async function isAllowed(
  { verb, resource, namespace, name }: Right,
  client: KubeClient,
  signal: AbortSignal,
): Promise<boolean> {
  const { group, version, plural } = resource;
  const resourceAttributes = {
    verb,
    group,
    version,
    resource: plural,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  const review = { spec: { resourceAttributes } };
  const { status } = await client.create<AccessReview>(selfSubjectAccessReviews, {}, review, signal);
  return status?.allowed === true;
}

/** `get secrets "kedge-issuer" in the namespace kedge`. */
function describe({ verb, resource, namespace, name }: Right): string {
  const { group, plural, namespaced } = resource;
  const what = `${verb} ${group === '' ? plural : `${plural}.${group}`}`;
  const named = name === undefined ? what : `${what} "${name}"`;
  if (!namespaced) return named;
  return namespace === undefined ? `${named} in all namespaces` : `${named} in the namespace ${namespace}`;
}

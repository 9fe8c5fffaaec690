import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorCode } from '../runtime/errors.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import type { Place, Resource } from './resource.ts';

const maxAttempts = 6;
const backoffPolicy = { minMs: 20, maxMs: 1_000, jitter: 1 };

export interface UpdateOptions {
  readonly client: Pick<KubeClient, 'read' | 'replace'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Reads an object, changes it and writes it back, from the beginning when somebody else wrote meanwhile, a few times.
 * `change` gives the whole object as it is to be, or undefined where it is right already. Gives the object as it is in
 * the end; rejects with `kube_not_found` where there is none, and with `kube_conflict` where others were always faster.
 */
export async function updateWithRetry<T extends KubeObject>(
  { client, clock, signal }: UpdateOptions,
  resource: Resource,
  place: Place,
  change: (object: T) => T | undefined,
): Promise<T> {
  const backoff = new Backoff(backoffPolicy);
  for (let attempt = 1; ; attempt++) {
    const read = await client.read<T>(resource, place, signal);
    const changed = change(read);
    if (changed === undefined) return read;
    const { resourceVersion } = read.metadata;
    const metadata = { ...changed.metadata, ...(resourceVersion !== undefined && { resourceVersion }) };
    try {
      return await client.replace<T>(resource, place, { ...changed, metadata }, signal);
    } catch (error) {
      if (errorCode(error) !== 'kube_conflict' || attempt === maxAttempts) throw error;
    }
    await clock.sleep(backoff.next(), signal);
  }
}

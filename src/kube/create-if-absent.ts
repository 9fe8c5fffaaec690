import { errorCode } from '../runtime/errors.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import type { Resource } from './resource.ts';

/** How often an object may go away between being met and being read. */
const maxAttempts = 5;

/** `created`: it is the one that was given; otherwise somebody else's, however close the race was. */
export interface Present<T> {
  readonly object: T;
  readonly created: boolean;
}

/** The object of this name, made of `object` (its parts beside the name) where there is none. */
export async function createIfAbsent<T extends KubeObject>(
  client: Pick<KubeClient, 'read' | 'create'>,
  resource: Resource,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
  object: object,
  signal: AbortSignal,
): Promise<Present<T>> {
  const place = namespace === undefined ? {} : { namespace };
  const { metadata } = object as Partial<KubeObject>;
  const whole = { ...object, metadata: { ...metadata, ...place, name } };
  for (let attempt = 1; ; attempt++) {
    try {
      return { object: await client.create<T>(resource, place, whole, signal), created: true };
    } catch (error) {
      if (errorCode(error) !== 'kube_exists') throw error;
    }
    try {
      return { object: await client.read<T>(resource, { ...place, name }, signal), created: false };
    } catch (error) {
      if (errorCode(error) !== 'kube_not_found' || attempt === maxAttempts) throw error;
    }
  }
}

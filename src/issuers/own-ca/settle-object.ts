import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { Resource } from '../../kube/resource.ts';
import { errorCode } from '../../runtime/errors.ts';

/** A Secret (its values in base64) or a ConfigMap. */
export interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | null;
}

/** An object that holds one thing. */
export interface Holder<T> {
  readonly resource: Resource;
  readonly place: { readonly namespace: string; readonly name: string };
  /** What it holds; undefined where it holds nothing. Throws where it holds something else. */
  readonly read: (object: DataObject) => T | undefined;
  /** The data that stands for it. */
  readonly write: (content: T) => Readonly<Record<string, string>>;
}

/** What the object holds; undefined where it holds nothing or is not there. */
export async function held<T>(
  client: KubeClient,
  holder: Holder<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const object = await find(client, holder, signal);
  return object && holder.read(object);
}

/**
 * What the object holds, or, where it holds nothing or is not there, what is made for it. Of several who do this at
 * once one writes, and all get what that one wrote: nothing is ever overwritten.
 */
export async function settleObject<T>(
  client: KubeClient,
  holder: Holder<T>,
  make: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    const present = await find(client, holder, signal);
    const content = present && holder.read(present);
    if (content !== undefined) return content;
    const made = await make();
    const data = holder.write(made);
    const written =
      present === undefined
        ? await create(client, holder, data, signal)
        : await update(client, holder, present, data, signal);
    // Else somebody was faster, and the next round reads what that one wrote.
    if (written) return made;
  }
}

/** Adds data to an object, or replaces what is of the same name in it; false where it is not as it was read. */
export function update(
  client: KubeClient,
  { resource, place }: Pick<Holder<unknown>, 'resource' | 'place'>,
  present: DataObject,
  data: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const changed = { ...present, data: { ...present.data, ...data } };
  const lost = ['kube_conflict', 'kube_not_found'];
  return unlessLost(lost, client.replace(resource, place, changed, signal));
}

export async function find(
  client: KubeClient,
  { resource, place }: Pick<Holder<unknown>, 'resource' | 'place'>,
  signal: AbortSignal,
): Promise<DataObject | undefined> {
  try {
    return await client.read<DataObject>(resource, place, signal);
  } catch (error) {
    if (errorCode(error) === 'kube_not_found') return undefined;
    throw error;
  }
}

function create(
  client: KubeClient,
  { resource, place }: Pick<Holder<unknown>, 'resource' | 'place'>,
  data: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = place;
  return unlessLost(
    ['kube_exists'],
    client.create(resource, { namespace }, { metadata: place, data }, signal),
  );
}

async function unlessLost(codes: readonly string[], written: Promise<unknown>): Promise<boolean> {
  try {
    await written;
    return true;
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

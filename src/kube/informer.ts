import type { Informer, InformerOptions } from './informer-options.ts';
import type { KubeObject } from './kube-object.ts';
import { ResourceInformer } from './resource-informer.ts';

export type { Informer, InformerOptions };

/** The objects of one kind, followed from `run` on. */
export function informer<T, O extends KubeObject = KubeObject>(options: InformerOptions<T, O>): Informer<T> {
  return new ResourceInformer(options);
}

/** The one object of this name, as a collection of at most one; needs no right to the others (RBAC `resourceNames`). */
export function watchNamed<T, O extends KubeObject = KubeObject>(
  { namespace, name }: { readonly namespace?: string; readonly name: string },
  options: Omit<InformerOptions<T, O>, 'place' | 'fieldSelector' | 'labelSelector'>,
): Informer<T> {
  return informer({
    title: `${options.resource.plural}/${name}`,
    ...options,
    ...(namespace !== undefined && { place: { namespace } }),
    fieldSelector: `metadata.name=${name}`,
  });
}

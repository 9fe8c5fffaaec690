import { PortSet } from '../../runtime/port-set.ts';
import type { AnnotationName, Annotations } from '../../kube/annotations.ts';

/** Whoever is annotated, its ports and the namespace it is in. */
export interface Annotated {
  readonly annotations: Annotations;
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[];
  /** Speaks where the object itself does not. */
  readonly namespace: { readonly annotations: Annotations } | undefined;
}

/** Characters of an annotation that is read: room for thousands of ports, and no time to speak of. */
export const MAX_PORT_LIST = 16_384;

/**
 * The ports that an annotation lists, of the object or else of its namespace: numbers, ranges, and names of the
 * object's ports. `undefined` when neither says anything; what is none of the three is passed over,
 * and so is an annotation beyond all measure, which users could change faster than it is read.
 */
export function annotatedPorts(
  name: AnnotationName,
  { annotations, ports, namespace }: Annotated,
): PortSet | undefined {
  const said = annotations[name] ?? namespace?.annotations[name];
  if (said === undefined || said.length > MAX_PORT_LIST) return undefined;
  const items = new Set(said.split(',').map((item) => item.trim()));
  const numbers = [...items].flatMap((item) =>
    PortSet.parse(item) === undefined
      ? ports.filter((port) => port.name === item).map(({ port }) => String(port))
      : [item],
  );
  return PortSet.parse(numbers.join(','));
}

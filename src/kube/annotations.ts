import type { ObjectMeta } from './kube-object.ts';

/** What can be said of a workload, service or namespace in an annotation `config.kedge.io/<name>`. */
const CONFIG_NAMES = [
  'default-inbound-policy',
  'opaque-ports',
  'probe-authorization',
  'proxy-require-identity-inbound-ports',
  'skip-inbound-ports',
] as const;

export type AnnotationName = (typeof CONFIG_NAMES)[number] | 'inject';

/** Every annotation that Kedge reads: our key, and the contract's that means the same (contract 6.1). */
const TABLE: readonly (readonly [name: AnnotationName, ours: string, contract: string])[] = [
  ['inject', 'kedge.io/inject', 'linkerd.io/inject'],
  ...CONFIG_NAMES.map((name) => [name, `config.kedge.io/${name}`, `config.linkerd.io/${name}`] as const),
];

/** What is said, by name. An annotation that is there and empty says the empty text. */
export type Annotations = Readonly<Partial<Record<AnnotationName, string>>>;

/** Reads the annotations of the table; where both keys are there, ours wins. */
export function annotationsOf({ annotations = {} }: Pick<ObjectMeta, 'annotations'>): Annotations {
  const said: Partial<Record<AnnotationName, string>> = {};
  for (const [name, ours, contract] of TABLE) {
    const value = annotations[ours] ?? annotations[contract];
    if (value !== undefined) said[name] = value;
  }
  return said;
}

import type { KubeObject } from '../../kube/kube-object.ts';

/** An object of the API as it arrived: another's schema may have let anything in. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a value; none where it has none. */
export function fieldsOf(value: unknown): Fields {
  return hasFields(value) ? value : {};
}

/** What an object says it wants, of whatever shape. */
export function specOf(source: KubeObject): Fields {
  return fieldsOf((source as KubeObject & { readonly spec?: unknown }).spec);
}

/** Whether a value has fields at all, be they none. */
export function hasFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value that was left out, which the API also writes as null. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** A short picture of what was found, for a sentence about it. */
export function shown(value: unknown): string {
  if (isAbsent(value)) return 'nothing';
  const text =
    typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) as string | undefined);
  return text === undefined ? typeof value : text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

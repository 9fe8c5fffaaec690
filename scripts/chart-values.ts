import { isCollection, isMap, isScalar, parseDocument } from 'yaml';
import type { Pair, YAMLMap } from 'yaml';

/** One value of the chart, as its README shows it. */
export interface ValueRow {
  /** `local.secret`. */
  readonly path: string;
  /** As JSON. */
  readonly fallback: string;
  /** The comment above it in values.yaml. */
  readonly help: string;
}

/** The part of a JSON schema that says how deep the chart's own values go. */
export interface ValuesSchema {
  readonly properties?: Readonly<Record<string, ValuesSchema>>;
}

/** The values of a values.yaml in its order; throws where one has no comment. */
export function chartValues(text: string, schema: ValuesSchema): ValueRow[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('expected a map of values');
  return rowsOf(contents, schema, []);
}

function rowsOf(map: YAMLMap, schema: ValuesSchema, before: readonly string[]): ValueRow[] {
  return map.items.flatMap((pair, index) => {
    const name = String(pair.key);
    const path = [...before, name];
    const below = schema.properties?.[name];
    if (below?.properties !== undefined && isMap(pair.value)) return rowsOf(pair.value, below, path);
    // A comment above the first value is taken for one of the whole map.
    const comment = commentOf(pair) ?? (index === 0 ? map.commentBefore : undefined);
    if (!comment) throw new Error(`values.yaml: expected a comment above ${path.join('.')}, got none`);
    const help = comment.split('\n').map((line) => line.trim());
    return { path: path.join('.'), fallback: JSON.stringify(pair.value), help: help.join(' ') };
  });
}

function commentOf({ key }: Pair): string | null | undefined {
  return isScalar(key) || isCollection(key) ? key.commentBefore : undefined;
}

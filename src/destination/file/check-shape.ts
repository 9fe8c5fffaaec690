import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';

import { quoted } from '../../runtime/quoted.ts';
import type { DestinationDocument } from './document.ts';
import type { FieldPath, Problems } from './problems.ts';
import { shownValue } from './problems.ts';
import { destinationFileSchema } from './schema.ts';

/** Tells every departure from the schema to `problems`; without any, the value is a document. */
export type ShapeCheck = (value: unknown, problems: Problems) => value is DestinationDocument;

/** Compiles the schema, which takes some tens of milliseconds: once per process. */
export function shapeCheck(): ShapeCheck {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    strict: true,
    strictRequired: false,
  });
  const validate = ajv.compile<DestinationDocument>(destinationFileSchema);
  return (value, problems): value is DestinationDocument => {
    if (validate(value)) return true;
    for (const error of validate.errors ?? []) report(error, pathOf(error.instancePath, value), problems);
    return false;
  };
}

/** The pieces a schema has that messages are made of. */
interface SchemaPart {
  readonly title?: string;
  readonly pattern?: string;
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly anyOf?: readonly { readonly required: readonly string[] }[];
}

function report(error: ErrorObject, path: FieldPath, problems: Problems): void {
  // Told by the branch that failed, by `anyOf` as a whole, and by the name that did not fit.
  if (error.keyword === 'if' || error.keyword === 'propertyNames' || error.schemaPath.includes('/anyOf/'))
    return;
  const part = error.parentSchema as SchemaPart;
  const params = error.params as Readonly<Record<string, string>>;
  if (error.propertyName !== undefined) {
    problems.add(
      [...path, error.propertyName],
      `expected ${expectation(error, part)}, got ${quoted(error.propertyName)}`,
      'key',
    );
  } else if (error.keyword === 'additionalProperties') {
    const known = Object.keys(part.properties ?? {}).join(', ');
    problems.add(
      [...path, params['additionalProperty'] ?? ''],
      `expected no such field; there are ${known}`,
      'key',
    );
  } else if (error.keyword === 'anyOf') {
    const choices = (part.anyOf ?? []).flatMap(({ required }) => required).join(', ');
    problems.add(path, `expected one of the fields ${choices}`);
  } else if (error.keyword === 'required') {
    problems.add(path, `expected the field ${params['missingProperty'] ?? ''}`, 'key');
  } else {
    problems.add(path, `expected ${expectation(error, part)}, got ${shownValue(error.data)}`);
  }
}

const articles: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

/** What each rule of the schema expects, in words. */
const expectations: Readonly<Record<string, (part: SchemaPart, params: RuleParams) => string>> = {
  enum: (_, { allowedValues = [] }) => `one of ${allowedValues.join(', ')}`,
  const: () => 'true, or no such field',
  minimum: wholeNumber,
  maximum: wholeNumber,
  minItems: (_, { limit = 1 }) => `a list of at least ${limit}`,
  minLength: () => 'some text',
  maxLength: (_, { limit = 0 }) => `at most ${limit} characters`,
  pattern: ({ title = 'another text' }) => title,
  type: ({ title, pattern, type }) => (pattern === undefined ? undefined : title) ?? typeNames(type),
};

interface RuleParams {
  readonly limit?: number;
  readonly allowedValues?: readonly string[];
}

function expectation(error: ErrorObject, part: SchemaPart): string {
  const words = expectations[error.keyword]?.(part, error.params as RuleParams);
  return words ?? error.message ?? error.keyword;
}

function wholeNumber({ minimum = 0, maximum = 0 }: SchemaPart): string {
  return `a whole number from ${minimum} to ${maximum}`;
}

function typeNames(type: string | readonly string[] | undefined): string {
  const names = typeof type === 'string' ? [type] : (type ?? []);
  return names.map((name) => articles[name] ?? name).join(' or ');
}

/** A JSON pointer (RFC 6901) into `root` as the steps it takes: numbers into lists, names into mappings. */
function pathOf(pointer: string, root: unknown): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(name) : name);
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return path;
}

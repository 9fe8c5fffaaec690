import { fieldsOf, hasFields, isAbsent, shown } from '../fields.ts';

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** Everything in it must hold; nothing in it selects all. */
export type LabelSelector = readonly Requirement[];

export type Labels = Readonly<Record<string, string>>;

/** As Kubernetes does it: `NotIn` also holds where the label is missing. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
    }
  });
}

/**
 * Reads `matchLabels` and `matchExpressions`. What cannot be read is told and left out, so that the selector takes in
 * at least what was meant: whoever uses it to let somebody in must not, once anything was told.
 */
export function readSelector(value: unknown, problems: string[]): LabelSelector {
  if (!hasFields(value)) {
    problems.push(`expected a selector, got ${shown(value)}`);
    return [];
  }
  const { matchLabels, matchExpressions } = fieldsOf(value);
  return [...readLabels(matchLabels, problems), ...readExpressions(matchExpressions, problems)];
}

function readLabels(value: unknown, problems: string[]): Requirement[] {
  if (isAbsent(value)) return [];
  if (!hasFields(value)) problems.push(`expected matchLabels to be labels, got ${shown(value)}`);
  return Object.entries(fieldsOf(value)).flatMap(([key, label]) => {
    if (typeof label === 'string') return [{ key, operator: 'In', values: [label] }];
    problems.push(`expected text as the label ${shown(key)}, got ${shown(label)}`);
    return [];
  });
}

function readExpressions(value: unknown, problems: string[]): Requirement[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    problems.push(`expected matchExpressions to be a list, got ${shown(value)}`);
    return [];
  }
  return value.flatMap((each: unknown) => {
    const requirement = readRequirement(each);
    if (requirement !== undefined) return [requirement];
    problems.push(`expected a key, an operator and the values that go with it, got ${shown(each)}`);
    return [];
  });
}

/** Whether an operator takes values. */
const TAKES_VALUES: ReadonlyMap<unknown, boolean> = new Map<Operator, boolean>([
  ['In', true],
  ['NotIn', true],
  ['Exists', false],
  ['DoesNotExist', false],
]);

function readRequirement(value: unknown): Requirement | undefined {
  const { key, operator, values: given } = fieldsOf(value);
  const values: unknown = given ?? [];
  if (typeof key !== 'string' || key === '' || !isTexts(values)) return undefined;
  if (TAKES_VALUES.get(operator) !== values.length > 0) return undefined;
  return { key, operator: operator as Operator, values };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseUniqueJson } from '../../../src/identity/token/unique-json.ts';
import { INHERITED_NAMES, textsLike } from '../mutate/texts.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

interface Input {
  readonly text: string;
  /** Whether a name stands twice in one object; undefined where nobody knows. */
  readonly repeated: boolean | undefined;
}

type Json = { readonly text: string; readonly repeated: boolean };

const names = ['a', 'b', 'c\\"', ...INHERITED_NAMES];

/** JSON whose objects are written member by member, so that a name may come again, plainly or in escapes. */
const written: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .oneof(fc.constantFrom('1', 'null', '"{\\"a\\":"', '":"', '[]'), fc.json({ maxDepth: 0 }))
      .map((text) => ({ text, repeated: false })),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
      text: `[${items.map(({ text }) => text).join(', ')}]`,
      repeated: items.some(({ repeated }) => repeated),
    })),
    fc
      .array(fc.tuple(fc.constantFrom(...names), fc.boolean(), tie('value')), { maxLength: 4 })
      .map((members) => ({
        text: `{${members.map(([name, escape, { text }]) => `${nameText(name, escape)} : ${text}`).join(',')}}`,
        repeated:
          new Set(members.map(([name]) => name)).size < members.length ||
          members.some(([, , { repeated }]) => repeated),
      })),
  ),
})).value;

/** Reads what JSON.parse reads, unless a name stands twice: then, and only then, it does not. */
export const uniqueJsonTarget = fuzzTarget<Input>({
  name: 'unique-json',
  file: 'identity/token/unique-json.ts',
  inputs: fc.oneof(
    { weight: 3, arbitrary: written },
    {
      weight: 1,
      arbitrary: textsLike(['{"a":1,"b":[{"a":2}]}'], ['{', '}', '[', ']', ':', ',', '"a"', '"', '\\']).map(
        (text) => ({
          text,
          repeated: undefined,
        }),
      ),
    },
  ),
  check: ({ text, repeated }) => {
    const plain = outcomeOf(() => JSON.parse(text));
    const unique = outcomeOf(() => parseUniqueJson(text));
    if (repeated !== undefined) assert.equal(unique.outcome, repeated ? 'refused' : accepted);
    if (unique.outcome === accepted) assert.deepEqual(unique.value, plain.value);
    if (plain.outcome === 'refused') assert.equal(unique.outcome, 'refused');
    return unique.outcome;
  },
});

function nameText(name: string, escape: boolean): string {
  return escape && name.length === 1 ? `"\\u00${name.charCodeAt(0).toString(16)}"` : `"${name}"`;
}

function outcomeOf(read: () => unknown): { outcome: Outcome; value?: unknown } {
  try {
    return { outcome: accepted, value: read() };
  } catch (error) {
    assert.equal((error as Error).name, 'SyntaxError');
    return { outcome: 'refused' };
  }
}

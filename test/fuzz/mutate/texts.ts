import fc from 'fast-check';
import { changedText } from './change-bytes.ts';

/** Names that every object seems to have: a table that is looked into carelessly answers to them. */
export const INHERITED_NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

/** Characters that deceive: controls, a byte order mark, text run backwards, half a character, digits of other scripts. */
const ODD_CHARACTERS = [
  '\0',
  '\n',
  '\u001b[2J',
  '\u009b',
  '\u202e',
  '\ufeff',
  '\ud800',
  '\u0663',
  '\u212a',
  '\u00a0',
];

/** Honest texts that were changed, texts put together from `words` and odd characters, and noise. */
export function textsLike(samples: readonly string[], words: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.constantFrom(...INHERITED_NAMES, ...ODD_CHARACTERS) },
    { weight: 1, arbitrary: fc.string({ maxLength: 4 }) },
  );
  return fc.oneof(
    { weight: 4, arbitrary: changedText(...samples) },
    { weight: 4, arbitrary: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')) },
    { weight: 1, arbitrary: fc.constantFrom(...samples) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 1, arbitrary: longText(words) },
  );
}

/** One word very often, on which a careless expression takes for ever. */
function longText(words: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...words), fc.nat(2000), fc.string({ maxLength: 1 }))
    .map(([word, count, end]) => word.repeat(count) + end);
}

/** JSON of any shape in which the given names and values are met often. */
export function jsonLike(names: readonly string[], values: readonly unknown[]): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  );
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...INHERITED_NAMES) },
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  return value.map((one) => JSON.stringify(one));
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseContextToken } from '../../../src/destination/context-token.ts';
import { jsonLike, textsLike } from '../mutate/texts.ts';
import { accepted, fuzzTarget } from '../target.ts';

const samples = ['{"ns":"shop","nodeName":"node-a","pod":"web-0"}\n', 'ns:shop'];
const words = ['{', '}', '"ns"', '"nodeName"', ':', ',', '"shop"', 'ns:', ' ', '\n'];

/** Never an error: whatever is no token says nothing. */
export const contextTokenTarget = fuzzTarget<string>({
  name: 'context-token',
  file: 'destination/context-token.ts',
  inputs: fc.oneof(
    textsLike(samples, words),
    jsonLike(['ns', 'nodeName', 'pod', 'other'], ['shop', 'node-a', '', null, 7]),
  ),
  check: (text) => {
    const context = parseContextToken(text);
    for (const [name, value] of Object.entries(context)) {
      assert.ok(['namespace', 'nodeName', 'pod'].includes(name));
      assert.ok(typeof value === 'string' && value !== '' && value.length <= text.length);
    }
    assert.equal(Object.getPrototypeOf(context), Object.prototype);
    return Object.keys(context).length > 0 ? accepted : 'says nothing';
  },
});

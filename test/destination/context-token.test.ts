import * as fc from 'fast-check';
import { parseContextToken } from '../../src/destination/context-token.ts';

describe('parseContextToken', () => {
  it.each([
    [
      '{"ns":"shop","nodeName":"node-a","pod":"web-0"}\n',
      { namespace: 'shop', nodeName: 'node-a', pod: 'web-0' },
    ],
    ['  {"nodeName":"node-a"}', { nodeName: 'node-a' }],
    ['{}', {}],
    ['ns:shop', { namespace: 'shop' }],
    ['ns:', {}],
    ['', {}],
    ['shop', {}],
    ['[1]', {}],
    ['null', {}],
    ['"ns:shop"', {}],
    ['{"ns":7,"pod":"web-0","more":[]}', { pod: 'web-0' }],
    ['{"ns":', {}],
    [`{"ns":"${'x'.repeat(5000)}"}`, {}],
  ])('reads %j', (token, expected) => {
    expect(parseContextToken(token)).toEqual(expected);
  });

  it('gives only texts it knows, and never fails', () => {
    const token = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
    fc.assert(
      fc.property(token, (text) => {
        for (const [key, value] of Object.entries(parseContextToken(text))) {
          expect(['namespace', 'nodeName', 'pod']).toContain(key);
          expect(typeof value).toBe('string');
        }
      }),
      { numRuns: 400 },
    );
  });
});

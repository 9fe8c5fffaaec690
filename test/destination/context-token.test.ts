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
});

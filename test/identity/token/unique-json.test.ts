import { parseUniqueJson } from '../../../src/identity/token/unique-json.ts';

describe('parseUniqueJson', () => {
  it.each([
    ['a name twice', '{"aud":"a","aud":"b"}'],
    ['a name twice, once escaped', '{"aud":"a","\\u0061ud":"b"}'],
    ['a name twice further down', '{"a":[{"b":{"c":1,"d":{"x":1},"c":2}}]}'],
    ['an empty name twice', '{"":1,"":2}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
  ])('refuses %s', (_, text) => {
    expect(() => parseUniqueJson(text)).toThrow('expected each name once in an object, got one twice');
  });

  it.each([
    ['the same name in two objects', '{"a":{"x":1},"b":{"x":1},"x":1}'],
    ['the same text as a name and as a value', '{"a":"a","b":["a","a"]}'],
    ['colons, braces and quotes inside texts', '{"a":"\\":{}[]","b\\"}":":","c":"\\\\"}'],
    ['an empty object', '{}'],
    ['a lone text', '"a:b"'],
  ])('takes %s', (_, text) => {
    expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
  });

  it('refuses what is not JSON', () => {
    expect(() => parseUniqueJson('{"a":1,}')).toThrow(SyntaxError);
  });
});

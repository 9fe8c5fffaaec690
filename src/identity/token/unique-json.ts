const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gs;

/**
 * `JSON.parse` that refuses a name used twice in one object, however it is escaped: two readers of such a text
 * may disagree on its meaning (RFC 7519, section 4).
 *
 * @throws SyntaxError
 */
export function parseUniqueJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkNames(text);
  return value;
}

/** Walks over a text that is known to be JSON. A string before a colon is a name of the innermost object. */
function checkNames(text: string): void {
  const open: Set<string>[] = [];
  let last = '';
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') takeName(open.at(-1), JSON.parse(last) as string);
    last = token;
  }
}

function takeName(names: Set<string> | undefined, name: string): void {
  if (names?.has(name)) throw new SyntaxError('expected each name once in an object, got one twice');
  names?.add(name);
}

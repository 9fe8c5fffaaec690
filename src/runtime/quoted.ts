const maxShownLength = 80;

/** What cannot be seen or changes how the rest is seen: control, format and separator characters, lone surrogates. */
const unseen = /[\p{C}\p{Zl}\p{Zp}"\\]/gu;

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
};

/** A foreign text in quotes, on one line, escaped and shortened, for a message or a terminal. */
export function quoted(text: string): string {
  const shown = text.slice(0, maxShownLength).replace(unseen, escaped);
  return text.length <= maxShownLength ? `"${shown}"` : `"${shown}..." (${text.length} characters)`;
}

function escaped(character: string): string {
  return shortEscapes[character] ?? `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
}

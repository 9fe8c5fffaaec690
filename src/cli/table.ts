import { stripVTControlCharacters, styleText } from 'node:util';

/** Spaces between two columns. */
const GAP = 2;

export interface TableOptions {
  /** One line above the rows. */
  header?: readonly string[];
  /** Spaces before every line; 0 unless told. */
  indent?: number;
}

/**
 * Rows as aligned columns, each as wide as its widest cell; nothing is cut or wrapped, and no line ends in spaces.
 * A cell may hold several lines and colour codes. The text ends with a newline, unless there is nothing to show.
 */
export function table(
  rows: readonly (readonly string[])[],
  { header, indent = 0 }: TableOptions = {},
): string {
  const cells = [...(header ? [header] : []), ...rows].map((row) => row.map((cell) => cell.split('\n')));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...cells.flatMap((row) => (row[column] ?? []).map(displayWidth))),
  );
  const margin = ' '.repeat(indent);
  return cells
    .flatMap((row) => linesOf(row, widths))
    .map((line) => `${margin}${line}`.trimEnd() + '\n')
    .join('');
}

/** The lines of one row: as many as its tallest cell has. */
function linesOf(row: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const height = Math.max(1, ...row.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    widths.map((width, column) => padded(row[column]?.[line] ?? '', width + GAP)).join(''),
  );
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Columns a text takes on a terminal: colour codes take none, wide East Asian letters and most pictures two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;

/** Colours by meaning. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  /** What can be skipped when reading. */
  dim(text: string): string;
  strong(text: string): string;
}

/**
 * Colours for what is written to `stream`: none unless it is a terminal that has them. `NO_COLOR` and `FORCE_COLOR` hold.
 */
export function paint(stream: NodeJS.WritableStream): Paint {
  const style =
    (format: 'green' | 'red' | 'dim' | 'bold') =>
    (text: string): string =>
      styleText(format, text, { stream });
  return { good: style('green'), bad: style('red'), dim: style('dim'), strong: style('bold') };
}

/**
 * Text from outside (a name in a peer's certificate) made safe for a terminal: control characters, and the invisible ones
 * that turn the reading direction round, are shown as escapes.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

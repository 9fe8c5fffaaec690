import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Block } from './block-coverage.ts';

/** The share of the lines inside functions of a file under `src/` that ran, 0 to 1. */
export function lineShare(file: string, functions: readonly (readonly Block[])[]): number {
  const text = readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'src', file), 'utf8');
  const counts = paint(text.length, functions);
  let at = 0;
  const ran: boolean[] = [];
  for (const line of text.split('\n')) {
    const first = at + line.search(/\S/);
    const count = counts[first];
    if (/\w/.test(line) && count !== undefined) ran.push(count > 0);
    at += line.length + 1;
  }
  return ran.length === 0 ? 0 : ran.filter((each) => each).length / ran.length;
}

/** How often each character inside a function ran: the innermost block that holds it says so. */
function paint(length: number, functions: readonly (readonly Block[])[]): (number | undefined)[] {
  const counts: (number | undefined)[] = Array.from({ length });
  // The whole file is a function too, and all of it runs when it is loaded.
  const blocks = functions.flat().filter(({ start, end }) => start > 0 || end < length);
  for (const { start, end, count } of blocks.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    counts.fill(count, start, end);
  }
  return counts;
}
